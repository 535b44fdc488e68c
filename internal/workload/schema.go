package workload

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// tables returns the workload's tables. Plain ones have no geometries and
// vectors; with cascades foreign keys change rows by themselves.
func tables(plain, cascades bool) []table {
	all := everyType()
	if plain {
		all = slices.DeleteFunc(all, func(c column) bool { return c.name == "c_vector" || c.name == "c_point" || c.name == "c_geometry" })
	}
	return slices.Concat(byKey(all), withoutKey(all), referring(cascades), audited(), oltp())
}

// few are the columns of tables that are about something else than types.
func few() []column {
	return []column{
		{"note", "VARCHAR(200) NOT NULL DEFAULT ''", text(200, letters)},
		{"n", "INT NOT NULL DEFAULT 0", signed(20)},
		{"price", "DECIMAL(12,4)", decimal(8, 4)},
		{"changed", "DATETIME(6)", dateTime(6)},
	}
}

// byKey are tables with keys of all kinds.
func byKey(all []column) []table {
	integer := newTable("by_integer", all, []string{"id BIGINT NOT NULL AUTO_INCREMENT"}, number)
	integer.numbered = true
	return []table{
		integer,
		newTable("by_string", all, []string{"code VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL"}, func(r *rand.Rand, n int) []string {
			// Case, accents and spaces at the end make keys of their own here.
			return []string{quote(fmt.Sprintf("%s-%d%s", pick(r, "Äpfel", "äpfel", "apfel", "APFEL"), r.IntN(1+n/8), pick(r, "", " ")))}
		}),
		newTable("by_several", all, []string{"shop SMALLINT UNSIGNED NOT NULL", "day DATE NOT NULL", "code CHAR(8) NOT NULL"}, func(r *rand.Rand, n int) []string {
			return []string{fmt.Sprint(r.IntN(5)), fmt.Sprintf("'2026-01-%02d'", 1+r.IntN(28)), quote(fmt.Sprint("x", r.IntN(1+n/140)))}
		}),
		newTable("by_bytes", few(), []string{"id BINARY(16) NOT NULL"}, func(r *rand.Rand, n int) []string {
			return []string{fmt.Sprintf("x'%032x'", r.IntN(n)*256)} // zero bytes at the end, which the binlog drops
		}),
		// What MySQL takes for the key where there is no primary one. Its collation
		// takes all the spellings for one, and an update may write another.
		constrained("by_unique", "UNIQUE KEY", few(), []string{"code VARCHAR(20) COLLATE utf8mb4_0900_ai_ci NOT NULL", "shop INT NOT NULL"}, func(r *rand.Rand, n int) []string {
			return []string{quote(fmt.Sprint(pick(r, "Äpfel", "äpfel", "apfel", "APFEL"), r.IntN(1+n/4))), fmt.Sprint(r.IntN(4))}
		}),
		newTable("hot", few(), []string{"shard INT NOT NULL", "name VARCHAR(20) NOT NULL"}, func(r *rand.Rand, _ int) []string {
			return []string{fmt.Sprint(r.IntN(3)), quote(pick(r, "one", "two", "three"))}
		}),
	}
}

// withoutKey are tables whose rows may be alike. The first has few values, so
// that most of its rows are there many times.
func withoutKey(all []column) []table {
	wide := constrained("without_key", "KEY", all, []string{"part INT NOT NULL"}, func(r *rand.Rand, n int) []string {
		return []string{fmt.Sprint(r.IntN(1 + n/30))}
	})
	wide.origin, wide.originKey = "by_integer", "id MOD 60"
	return []table{constrained("alike", "KEY", []column{
		{"n", "INT", oneOf("1", "2")},
		{"x", "FLOAT", oneOf("0.1", "-0e0")},
		{"doc", "JSON", oneOf(`'{"a": 1.0}'`, `'[]'`)},
		{"day", "DATE", oneOf("'1000-01-01'")},
	}, []string{"kind VARCHAR(10)", "part INT"}, func(r *rand.Rand, n int) []string {
		return []string{quote(pick(r, "one", "two", "three")), fmt.Sprint(r.IntN(1 + n/150))}
	}), wide}
}

// referring are tables that refer to each other.
func referring(cascades bool) []table {
	const parents = 100
	parentOf := func(r *rand.Rand) string { return fmt.Sprint(1 + r.IntN(parents)) }
	ofParent, ofChild := "", ""
	if cascades {
		ofParent, ofChild = " ON DELETE CASCADE ON UPDATE CASCADE", " ON DELETE SET NULL ON UPDATE CASCADE"
	}
	parent := newTable("parents", few(), []string{"id INT NOT NULL"}, func(r *rand.Rand, _ int) []string { return []string{parentOf(r)} })
	child := newTable("children", append(few(), column{"parent", "INT, FOREIGN KEY (parent) REFERENCES parents (id)" + ofParent, parentOf}),
		[]string{"id INT NOT NULL"}, func(r *rand.Rand, n int) []string { return []string{fmt.Sprint(1 + r.IntN(1+n/4))} })
	child.numbered = true
	grandchild := newTable("grandchildren", append(few(), column{"child", "INT, FOREIGN KEY (child) REFERENCES children (id)" + ofChild, parentOf}),
		[]string{"code CHAR(8) NOT NULL"}, func(r *rand.Rand, n int) []string { return []string{quote(fmt.Sprint("g", r.IntN(1+n/4)))} })
	return []table{parent, child, grandchild}
}

// audited is a table whose triggers change its rows and write to another one.
func audited() []table {
	decimals := newTable("by_decimal", few(), []string{"id DECIMAL(24,4) NOT NULL"}, func(r *rand.Rand, n int) []string {
		return []string{fmt.Sprintf("%d.%04d", r.IntN(n)-n/2, r.IntN(2)*5000)}
	})
	const written = "INSERT INTO audit (note, n) VALUES ('" + byTrigger + "', "
	decimals.triggers = []string{
		"CREATE TRIGGER by_decimal_rounds BEFORE UPDATE ON by_decimal FOR EACH ROW SET NEW.price = ROUND(NEW.price, 1)",
		"CREATE TRIGGER by_decimal_in AFTER INSERT ON by_decimal FOR EACH ROW " + written + "NEW.n)",
		"CREATE TRIGGER by_decimal_up AFTER UPDATE ON by_decimal FOR EACH ROW " + written + "NEW.n - OLD.n)",
		"CREATE TRIGGER by_decimal_out AFTER DELETE ON by_decimal FOR EACH ROW " + written + "OLD.n)",
	}
	audit := newTable("audit", few(), []string{"id INT NOT NULL AUTO_INCREMENT"}, number)
	audit.numbered = true
	return []table{decimals, audit}
}

// byTrigger is the note of the rows of triggers.
const byTrigger = "by a trigger"

// oltp are sysbench's tables.
func oltp() (list []table) {
	names := []string{"sbtest1", "sbtest2"}
	for i, name := range names {
		t := newTable(name, []column{
			{"k", "INT NOT NULL DEFAULT 0, KEY (k)", signed(20)},
			{"c", "CHAR(120) NOT NULL DEFAULT ''", text(119, digits)},
			{"pad", "CHAR(60) NOT NULL DEFAULT ''", text(59, digits)},
		}, []string{"id INT NOT NULL AUTO_INCREMENT"}, number)
		t.numbered = true
		t.origin, t.originKey = names[1-i], "id"
		t.line = func(r *rand.Rand, key []string) string {
			return fmt.Sprintf("%s,%d,%s,%s\n", key[0], r.IntN(1000), numerals(r, 119), numerals(r, 59))
		}
		list = append(list, t)
	}
	return list
}

// number is a key of the space.
func number(r *rand.Rand, space int) []string { return []string{fmt.Sprint(1 + r.IntN(space))} }

func newTable(name string, columns []column, key []string, newKey func(*rand.Rand, int) []string) table {
	return constrained(name, "PRIMARY KEY", columns, key, newKey)
}

// constrained returns a table whose key columns have the given kind of index.
func constrained(name, index string, columns []column, key []string, newKey func(*rand.Rand, int) []string) table {
	t := table{name: name, columns: columns, newKey: newKey}
	var lines []string
	for _, k := range key {
		lines = append(lines, k)
		column, _, _ := strings.Cut(k, " ")
		t.key = append(t.key, column)
	}
	for _, c := range columns {
		lines = append(lines, c.name+" "+c.ddl)
	}
	t.copies = index == "KEY"
	lines = append(lines, index+" ("+strings.Join(t.key, ", ")+")")
	t.ddl = fmt.Sprintf("CREATE TABLE %s (%s) CHARACTER SET utf8mb4", name, strings.Join(lines, ", "))
	return t
}
