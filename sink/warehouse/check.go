package warehouse

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/uptrace/bun/driver/sqliteshim"
)

var sqliteMagic = []byte("SQLite format 3\x00")

// checkCatalog refuses a catalog file that is not ours to use, before anything
// opens it for writing. A missing or empty file is fine.
func checkCatalog(ctx context.Context, path string) error {
	head := make([]byte, len(sqliteMagic))
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading catalog %s: %w; give this user the right to read and write it", path, err)
	}
	n, err := io.ReadFull(f, head)
	if closed := f.Close(); closed != nil {
		return closed
	}
	switch {
	case errors.Is(err, io.EOF): // empty
		return nil
	case err != nil && !errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("reading catalog %s: %w", path, err)
	}
	if !bytes.Equal(head[:n], sqliteMagic) {
		return fmt.Errorf("catalog %s is no SQLite database; name another warehouse folder", path)
	}
	return checkTables(ctx, path)
}

// checkTables refuses a database of something else.
func checkTables(ctx context.Context, path string) (err error) {
	db, err := sql.Open(sqliteshim.ShimName, path+"?_pragma=busy_timeout(10000)&_pragma=query_only(1)")
	if err != nil {
		return fmt.Errorf("opening catalog %s: %w", path, err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	tables, err := column(ctx, db, "SELECT name FROM sqlite_master WHERE type = 'table'")
	if err != nil {
		return fmt.Errorf("reading catalog %s: %w", path, err)
	}
	tablesAre := slices.Contains(tables, "iceberg_tables")
	propertiesAre := slices.Contains(tables, "iceberg_namespace_properties")
	switch {
	case len(tables) == 0:
		return nil
	case len(tables) == 1 && tablesAre != propertiesAre:
		return nil // another process is making it, or died with it half made
	case !tablesAre || !propertiesAre:
		return fmt.Errorf("catalog %s is an SQLite database of something else (table %s); name another warehouse folder", path, tables[0])
	}
	names, err := column(ctx, db, "SELECT catalog_name FROM iceberg_tables UNION SELECT catalog_name FROM iceberg_namespace_properties")
	if err != nil {
		return fmt.Errorf("reading catalog %s: %w", path, err)
	}
	if len(names) > 0 && !slices.Contains(names, CatalogName) {
		return fmt.Errorf("catalog %s belongs to the Iceberg catalog %s, not to %s; name another warehouse folder", path, strings.Join(names, ", "), CatalogName)
	}
	return nil
}

func column(ctx context.Context, db *sql.DB, query string) (_ []string, err error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	var all []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, rows.Err()
}
