package source

import (
	"fmt"
	"slices"

	"github.com/beluga-cdc/beluga/source/session"
	"github.com/beluga-cdc/beluga/source/snapshot"
)

// lockFaults tells what is missing for a load to give all its connections the
// same state in the configured way.
func (g grants) lockFaults(how snapshot.Locking, tables []*dictionaryTable, vars variables, v session.Version) (list Faults) {
	global, gtids := g.global("RELOAD", "FLUSH_TABLES"), v.MariaDB || vars.is("gtid_mode", "ON")
	unlocked := g.unlocked(tables)
	switch {
	case how == snapshot.Global && !global, how == snapshot.Auto && !global && len(unlocked) > 0 && !gtids:
		name := "FLUSH_TABLES"
		if v.MariaDB || v.Less(8, 0, 23) {
			name = "RELOAD"
		}
		problem := fmt.Sprintf("user %s does not have it; it is needed to give all connections of the load the same state (FLUSH TABLES WITH READ LOCK, for some milliseconds)", g.account)
		list = append(list, Fault{Fatal, "privilege " + name, problem, fmt.Sprintf("GRANT %s ON *.* TO %s", name, g.account)})
	case how == snapshot.Tables:
		for _, d := range unlocked {
			list = append(list, Fault{Fatal, "privilege LOCK TABLES on " + d, fmt.Sprintf("user %s does not have it; it is needed for snapshot.locking tables", g.account),
				fmt.Sprintf("GRANT LOCK TABLES ON %s.* TO %s", session.Quote(d), g.account)})
		}
	case how == snapshot.None && !gtids:
		list = append(list, Fault{Fatal, "snapshot.locking", "none needs GTIDs, and gtid_mode is " + vars["gtid_mode"] + ": a place in a file does not tell what connections see",
			"choose auto, global or tables; or SET PERSIST enforce_gtid_consistency = ON; then gtid_mode = OFF_PERMISSIVE, ON_PERMISSIVE and ON, one after the other"})
	}
	return list
}

// unlocked returns the databases with captured tables that the user may not lock.
func (g grants) unlocked(tables []*dictionaryTable) (databases []string) {
	for _, t := range tables {
		if d := t.id.Database; !g.may("LOCK TABLES", t.id) && !slices.Contains(databases, d) {
			databases = append(databases, d)
		}
	}
	return databases
}
