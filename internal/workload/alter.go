package workload

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// further are the definitions of columns that ALTERs add.
var further = []column{
	{"", "INT NOT NULL DEFAULT 5", signed(20)},
	{"", "VARCHAR(30)", text(30, letters)},
	{"", "VARCHAR(30) CHARACTER SET latin1 NOT NULL DEFAULT 'größe'", text(30, latin)},
	{"", "DECIMAL(12,4) DEFAULT 1.5", decimal(8, 4)},
	{"", "DATETIME(6)", dateTime(6)},
	{"", "BIGINT UNSIGNED DEFAULT 7", unsigned(64)},
	{"", "JSON", json},
	{"", "DATE NOT NULL DEFAULT '2026-01-31'", date},
}

// alterer alters tables while sessions change their rows. These name the columns that
// they know, so that columns may come, go, change their names and move beside them.
type alterer struct {
	*session
	columns map[string][]column // by table, those that were added
	named   int
	retype  bool // see Workload
}

// Alter runs so many statements that alter a table, each followed by one that fills
// a column that was added. Run may be at work at the same time; no other Alter may.
func (w *Workload) Alter(ctx context.Context, statements int) (err error) {
	// It gives up soon where a prepared transaction holds the table, whose session may
	// be about to wait behind it.
	setup := []string{"USE " + w.Database, "SET SESSION lock_wait_timeout = 2"}
	if w.Retype {
		setup = append(setup, "SET SESSION sql_mode = ''") // values that do not fit are cut
	}
	s, err := w.session(ctx, setup...)
	if err != nil {
		return err
	}
	defer func() { // the pool gives the connection to others
		err = errors.Join(err, s.run(context.WithoutCancel(ctx), "SET SESSION lock_wait_timeout = DEFAULT"))
		s.close()
	}()
	if w.alterer == nil {
		w.alterer = &alterer{columns: map[string][]column{}, retype: w.Retype}
	}
	a := w.alterer
	s.rand, a.session = rand.New(rand.NewPCG(w.Seed, 1<<40|uint64(a.named))), s
	for range statements {
		t := a.table()
		text, after := a.alter(t)
		_, err := a.exec(ctx, text)
		switch {
		case undone(err), w.Retype && refused(err):
			continue
		case err != nil:
			return fmt.Errorf("executing %s: %w", text, err)
		}
		a.columns[t.name] = after
		w.altered.Add(1)
		if len(after) == 0 {
			continue
		}
		c := after[a.rand.IntN(len(after))]
		if _, err := a.exec(ctx, fmt.Sprintf("UPDATE %s SET %s = %s WHERE %s", t.name, c.name, a.value(c), t.from(t.newKey(a.rand, a.space), 20))); err != nil && !undone(err) {
			return fmt.Errorf("filling column %s of %s: %w", c.name, t.name, err)
		}
	}
	return nil
}

// alter makes a statement of up to three clauses about different columns, and returns
// the added columns as they are after it.
func (a *alterer) alter(t *table) (text string, after []column) {
	before := a.columns[t.name]
	after = slices.Clone(before)
	touched := map[string]bool{}
	var clauses []string
	for range 1 + a.rand.IntN(3) {
		added := before // that no clause is about
		added = slices.DeleteFunc(slices.Clone(added), func(c column) bool { return touched[c.name] })
		switch kind := a.rand.IntN(6); {
		case len(added) < 2 || kind < 2 && len(after) < 6:
			c := further[a.rand.IntN(len(further))]
			c.name = a.newName()
			clauses = append(clauses, "ADD COLUMN "+c.name+" "+c.ddl+a.place(t))
			after = append(after, c)
		case kind == 2:
			c := added[a.rand.IntN(len(added))]
			touched[c.name] = true
			clauses = append(clauses, "DROP COLUMN "+c.name)
			after = slices.DeleteFunc(after, func(x column) bool { return x.name == c.name })
		case kind == 3:
			one, other := added[0].name, added[1].name
			touched[one], touched[other] = true, true
			clauses = append(clauses, fmt.Sprintf("RENAME COLUMN %[1]s TO %[2]s, RENAME COLUMN %[2]s TO %[1]s", one, other))
			i, j := named(after, one), named(after, other)
			after[i].name, after[j].name = other, one
		case kind == 4:
			c := added[a.rand.IntN(len(added))]
			touched[c.name] = true
			to := a.newName()
			i := named(after, c.name)
			if a.retype && a.rand.IntN(3) == 0 {
				after[i] = further[a.rand.IntN(len(further))]
			}
			clauses = append(clauses, "CHANGE "+c.name+" "+to+" "+after[i].ddl+a.place(t))
			after[i].name = to
		default:
			c := t.columns[a.rand.IntN(len(t.columns))]
			if touched[c.name] || strings.Contains(c.ddl, "KEY (") { // a constraint stands there too
				continue
			}
			touched[c.name] = true
			clauses = append(clauses, "MODIFY "+c.name+" "+c.ddl+a.place(t))
		}
	}
	if len(clauses) == 0 {
		return "ALTER TABLE " + t.name + " FORCE", after
	}
	return "ALTER TABLE " + t.name + " " + strings.Join(clauses, ", "), after
}

func named(list []column, name string) int {
	return slices.IndexFunc(list, func(c column) bool { return c.name == name })
}

func (a *alterer) newName() string {
	a.named++
	return fmt.Sprintf("x%d", a.named)
}

// place puts a column beside one of the key, which no clause is about.
func (a *alterer) place(t *table) string {
	return pick(a.rand, "", " FIRST", " AFTER "+t.key[a.rand.IntN(len(t.key))])
}
