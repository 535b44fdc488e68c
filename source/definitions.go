package source

import (
	"strings"

	"github.com/beluga-cdc/beluga/source/session"
)

// definitionFaults finds settings under which DDL would be misread, or would stop a
// run, though all that is there can be replicated. Of SQL modes only the strict ones are
// among them: what others change of a statement's meaning travels with it.
func (v variables) definitionFaults(version session.Version, refuseKeyless bool) (list Faults) {
	if v["lower_case_table_names"] == "2" {
		list = append(list, Fault{Warning, "lower_case_table_names", "it is 2; a statement may then call a table by other letters than those that it is kept under, and would be taken for one about another table",
			"write the names of captured tables in DDL as SHOW TABLES does, or replicate a server with another setting, which is chosen when its data directory is made"})
	}
	if mode, ok := v["sql_mode"]; ok && !strings.Contains(strings.ToUpper(mode), "STRICT_") {
		list = append(list, Fault{Warning, "sql_mode", "it is not strict; an ALTER that forbids NULL then gives rows without a value another one without a trace in the binary log, and stops the run",
			version.Persist("sql_mode", "CONCAT(@@GLOBAL.sql_mode, ',STRICT_TRANS_TABLES')") + "; then reconnect all applications: their sessions keep the old one"})
	}
	if v.is("explicit_defaults_for_timestamp", "OFF") {
		list = append(list, Fault{Warning, "explicit_defaults_for_timestamp", "it is OFF; a TIMESTAMP column that is added without a default then shows in the rows that are there when it was added, which is not in the binary log, and stops the run",
			version.Persist("explicit_defaults_for_timestamp", "ON") + "; or say NULL, or DEFAULT with a constant, in each definition of such a column"})
	}
	if v.is("show_gipk_in_create_table_and_information_schema", "OFF") {
		list = append(list, Fault{Warning, "show_gipk_in_create_table_and_information_schema", "it is OFF; information_schema then hides the keys that sql_generate_invisible_primary_key makes, and the binary log has them",
			"SET PERSIST show_gipk_in_create_table_and_information_schema = ON"})
	}
	if refuseKeyless && v.is("sql_require_primary_key", "OFF") {
		list = append(list, Fault{Warning, "sql_require_primary_key", "it is OFF; a table that somebody makes without a key stops the run, as --keyless refuse is set",
			version.Persist("sql_require_primary_key", "ON")})
	}
	return list
}
