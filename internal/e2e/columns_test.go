package e2e

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
)

// TestColumns leaves columns out and treats others, on both paths and over each
// transport: no file of the lake or of the log holds what was to stay secret, verify
// treats MySQL's side alike, and the reader that is not ours sees what was asked
// for.
func TestColumns(t *testing.T) {
	server := servers.MySQL(t)
	for name, options := range map[string][]string{"direct": nil, "embedded": {"--kafka", "embedded", "--kafka-compression", "none"}} {
		t.Run(name, func(t *testing.T) {
			database := "e2e_columns_" + name
			server.Exec(t, strings.ReplaceAll(`DROP DATABASE IF EXISTS DB; CREATE DATABASE DB; USE DB;
				CREATE TABLE users (place POINT, id INT PRIMARY KEY, email VARCHAR(100), phone VARCHAR(40), note TEXT CHARACTER SET latin1, Card VARCHAR(40), pic BLOB, n INT);
				INSERT INTO users VALUES (POINT(1, 2), 1, 'verysecret1@x', 'verysecret2', 'ärmelkanal verysecret3', 'verysecret4', x'0102030405', 7), (NULL, 2, NULL, NULL, NULL, NULL, NULL, NULL);
				CREATE TABLE log (line VARCHAR(60), secret VARCHAR(60)); INSERT INTO log VALUES ('a', 'verysecret5'), ('a', 'verysecret6'), ('b', NULL);
				CREATE TABLE hidden (id INT PRIMARY KEY, v TEXT); INSERT INTO hidden VALUES (1, 'verysecret7')`, "DB", database))
			t.Setenv("E2E_SALT", "a salt")
			lake := filepath.Join(t.TempDir(), "lake")
			choice := []string{"--tables-exclude", database + `\.hidden`, "--columns-exclude", `.*\.users\.(place|card)`, "--columns-exclude", `.*\.log\.secret`, "--columns-exclude", `.*\.users\.extra`,
				"--columns-mask", `5:.*\.phone`, "--columns-truncate", `3:.*\.(note|pic)`, "--columns-hash", `.*\.email`, "--columns-hash-salt", "${env:E2E_SALT}"}
			args := append([]string{"--from", server.URL(database), "--to", lake}, choice...)
			run := append(append([]string{"run", "--once"}, args...), options...)
			runs(t, command("check", args)...)
			runs(t, run...)
			require.Contains(t, runs(t, command("verify", args)...), "equal: 2 tables, 5 rows")

			// The same by the stream, with columns that come to both kinds.
			server.Exec(t, strings.ReplaceAll(`USE DB; INSERT INTO users VALUES (POINT(3, 4), 3, 'verysecret1@y', NULL, '', 'verysecret8', '', 3);
				UPDATE users SET email = 'verysecret9', phone = NULL, card = 'verysecret10' WHERE id = 1; UPDATE users SET place = NULL WHERE id = 3; DELETE FROM users WHERE id = 2;
				INSERT INTO log VALUES ('b', 'verysecret11'); DELETE FROM log WHERE secret = 'verysecret6'; UPDATE log SET secret = 'verysecret12' WHERE line = 'b';
				ALTER TABLE users ADD COLUMN extra VARCHAR(20) NOT NULL DEFAULT 'verysecret13' FIRST, ADD COLUMN more INT NOT NULL DEFAULT 9;
				UPDATE users SET n = 8 WHERE id = 1; INSERT INTO hidden VALUES (2, 'verysecret14')`, "DB", database))
			runs(t, run...)
			require.Contains(t, runs(t, command("verify", args)...), "equal: 2 tables, 5 rows")
			hash := sha256.Sum256([]byte("a saltverysecret9"))
			rows := strings.Join(readerRows(t, lake, database, "users"), "\n")
			require.Contains(t, rows, strings.Join([]string{"'" + hexOf("1"), "'" + hexOf(hex.EncodeToString(hash[:])), "'" + hexOf("*****"), "'" + hexOf("ärm"), "'" + hexOf("010203"), "'" + hexOf("8"), "'" + hexOf("9")}, " "))
			require.Empty(t, filesWith(t, lake, "verysecret"))

			// Another choice than the rows were made with is refused.
			for text, other := range map[string]struct{ old, new, more, value string }{
				"column email: it was loaded under another rule":                {old: "${env:E2E_SALT}", new: "another"},
				"column Card: it was left out when the table was loaded":        {old: "(place|card)", new: "place"},
				"column extra: it was left out when the table was loaded":       {old: "extra", new: "none"},
				"column n: the lake has it, and the choice of columns":          {more: "--columns-include", value: `.*\.(id|email|phone|note|pic|more|line)`},
				"users, column id: it is part of the key, and the choice":       {more: "--columns-exclude", value: `.*\.id`},
				"users, column id: it is part of the key, and --columns-hash":   {more: "--columns-hash", value: `.*\.id`},
				"users, column n: it is of type int, and --columns-mask takes ": {more: "--columns-mask", value: `1:.*\.n`},
			} {
				changed := slices.Clone(run)
				for i := range changed {
					if other.old != "" {
						changed[i] = strings.ReplaceAll(changed[i], other.old, other.new)
					}
				}
				if other.more != "" {
					changed = append(changed, other.more, other.value)
				}
				p := start(t, changed...)
				require.Equal(t, fault, p.wait(t), p.out.String())
				require.Contains(t, p.out.String(), text)
			}
		})
	}
}

func hexOf(s string) string { return hex.EncodeToString([]byte(s)) }

// filesWith lists the files below a folder that hold the text.
func filesWith(t *testing.T, dir, text string) (names []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if strings.Contains(string(data), text) {
			names = append(names, path)
		}
		return err
	}))
	return names
}
