package source

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/source/session"
)

func TestParseLabels(t *testing.T) {
	for text, want := range map[string][]string{
		`enum('a')`:                         {"a"},
		`enum('a','b,c','d''e','','x)')`:    {"a", "b,c", "d'e", "", "x)"},
		`set('back\\slash','new\nline')`:    {`back\slash`, "new\nline"},
		`enum('''','\\','''quoted'' \\''')`: {"'", `\`, `'quoted' \'`},
		`enum('ü','😀')`:                     {"ü", "😀"},
	} {
		got, err := parseLabels(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "enum", "enum(", "enum('a", "enum('a'", "enum(a)", "enum('a''b)"} {
		_, err := parseLabels(text)
		require.Error(t, err, text)
	}
}

func TestParseGrant(t *testing.T) {
	for line, want := range map[string]grant{
		"GRANT SELECT, REPLICATION SLAVE ON *.* TO `u`@`%`":                   {privileges: []string{"SELECT", "REPLICATION SLAVE"}, database: "*", table: "*"},
		"GRANT FLUSH_TABLES,BACKUP_ADMIN ON *.* TO `u`@`%` WITH GRANT OPTION": {privileges: []string{"FLUSH_TABLES", "BACKUP_ADMIN"}, database: "*", table: "*"},
		"GRANT ALL PRIVILEGES ON `a``b\\_c`.* TO `u`@`%`":                     {privileges: []string{"ALL PRIVILEGES"}, database: "a`b\\_c", table: "*"},
		"GRANT SELECT (`x`, `y`), INSERT ON `d`.`t` TO `u`@`%`":               {privileges: []string{"INSERT"}, database: "d", table: "t"},
		"REVOKE SELECT ON `d`.* FROM `u`@`%`":                                 {revoke: true, privileges: []string{"SELECT"}, database: "d", table: "*"},
	} {
		got, ok := parseGrant(line)
		require.True(t, ok, line)
		require.Equal(t, want, got, line)
	}
	for _, line := range []string{"GRANT `role`@`%` TO `u`@`%`", "GRANT PROXY ON ``@`` TO `u`@`%`", "GRANT EXECUTE ON PROCEDURE `d`.`p` TO `u`@`%`", "nonsense"} {
		_, ok := parseGrant(line)
		require.False(t, ok, line)
	}
}

func TestGrantsSelect(t *testing.T) {
	id := schema.TableID{Database: "shop_1", Name: "orders"}
	for _, c := range []struct {
		lines []string
		want  bool
	}{
		{nil, false},
		{[]string{"GRANT SELECT ON *.* TO u"}, true},
		{[]string{"GRANT USAGE ON *.* TO u", "GRANT SELECT ON `shop_1`.* TO u"}, true},
		{[]string{"GRANT SELECT ON `shop\\_1`.* TO u"}, true},
		{[]string{"GRANT SELECT ON `shop\\_2`.* TO u"}, false},
		{[]string{"GRANT SELECT ON `shop%`.* TO u"}, true},
		{[]string{"GRANT ALL PRIVILEGES ON `shop__`.* TO u"}, true},
		{[]string{"GRANT SELECT ON `shop_1`.`orders` TO u"}, true},
		{[]string{"GRANT ALL PRIVILEGES ON `shop_1`.`orders` TO u"}, true},
		{[]string{"GRANT SELECT ON `shop_1`.`other` TO u"}, false},
		{[]string{"GRANT SELECT (`id`) ON `shop_1`.`orders` TO u"}, false},
		{[]string{"GRANT SELECT ON *.* TO u", "REVOKE SELECT ON `shop_1`.* FROM u"}, false},
		{[]string{"GRANT SELECT ON *.* TO u", "REVOKE SELECT ON `other`.* FROM u"}, true},
	} {
		var g grants
		for _, l := range c.lines {
			parsed, ok := parseGrant(l)
			require.True(t, ok, l)
			g.list = append(g.list, parsed)
		}
		require.Equal(t, c.want, g.may("SELECT", id), "%v", c.lines)
	}
}

func TestVersions(t *testing.T) {
	f, bad := versionFault(session.ParseVersion("5.5.5-10.6.6-MariaDB"))
	require.True(t, bad)
	require.Contains(t, f.Problem, "older than 10.11")
	_, bad = versionFault(session.ParseVersion("5.5.5-10.11.6-MariaDB-log"))
	require.False(t, bad)
	f, bad = versionFault(session.ParseVersion("5.7.44"))
	require.True(t, bad)
	require.Contains(t, f.Problem, "older than 8.0")
	_, bad = versionFault(session.ParseVersion("8.0.11"))
	require.False(t, bad)
}

// TestNamesInAnotherCase: no server on Linux has the setting, so that its variables stand
// for it.
func TestNamesInAnotherCase(t *testing.T) {
	f := variables{"lower_case_table_names": "2", "sql_require_primary_key": "OFF"}.definitionFaults(session.Version{}, false)
	require.Len(t, f, 1)
	require.Equal(t, Warning, f[0].Severity)
	require.Contains(t, f[0].Problem, "taken for one about another table")
	require.Empty(t, variables{"lower_case_table_names": "1", "sql_require_primary_key": "ON"}.definitionFaults(session.Version{}, true))
}

// TestSettingsThatMakeDDLUnsafe: settings that a server may have at run time.
func TestSettingsThatMakeDDLUnsafe(t *testing.T) {
	server := servers.MySQL(t)
	cfg, err := ParseURL(server.URL(""))
	require.NoError(t, err)
	s, err := session.Open(t.Context(), cfg.Endpoint)
	require.NoError(t, err)
	defer s.Close()
	v, err := readVariables(t.Context(), s)
	require.NoError(t, err)
	require.Empty(t, v.definitionFaults(s.Version(), false), "the settings of a new server")
	v["sql_mode"], v["explicit_defaults_for_timestamp"] = "NO_ZERO_DATE,ANSI_QUOTES", "OFF"
	faults := v.definitionFaults(s.Version(), false)
	require.Len(t, faults.Warnings(), 2)
	require.Contains(t, faults[0].Problem, "without a trace in the binary log")
	require.Contains(t, faults[0].Remedy, "SET PERSIST sql_mode = CONCAT(@@GLOBAL.sql_mode, ',STRICT_TRANS_TABLES')")
	require.Contains(t, faults[1].Problem, "a TIMESTAMP column that is added without a default")
	require.Contains(t, faults[1].Remedy, "SET PERSIST explicit_defaults_for_timestamp = ON")
}

func TestSelection(t *testing.T) {
	match := func(c Config, database, name string) bool {
		s, err := newSelection(c)
		require.NoError(t, err)
		return s.matches(schema.TableID{Database: database, Name: name})
	}
	require.True(t, match(Config{}, "shop", "orders"))
	require.False(t, match(Config{}, "mysql", "user"))
	require.True(t, match(Config{Database: "shop"}, "shop", "orders"))
	require.False(t, match(Config{Database: "shop"}, "shop2", "orders"))
	c := Config{Database: "shop", Tables: []string{`shop\.(a|b)`, `x\..*`}}
	require.True(t, match(c, "shop", "a"))
	require.False(t, match(c, "shop", "ab"), "patterns match the whole")
	require.True(t, match(c, "x", "y"))
	require.False(t, match(Config{Tables: []string{".*"}}, "sys", "sys_config"))
	_, err := newSelection(Config{Tables: []string{"("}})
	require.ErrorContains(t, err, `--tables "(" is no regular expression`)
}
