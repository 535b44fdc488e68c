package source

import "github.com/beluga-cdc/beluga/source/session"

// definitionFaults finds settings under which DDL would be misread, or would stop a
// run, though all that is there can be replicated. SQL modes are none of them: they
// travel with each statement.
func (v variables) definitionFaults(version session.Version, refuseKeyless bool) (list Faults) {
	if v["lower_case_table_names"] == "2" {
		list = append(list, Fault{Warning, "lower_case_table_names", "it is 2; a statement may then call a table by other letters than those that it is kept under, and would be taken for one about another table",
			"write the names of captured tables in DDL as SHOW TABLES does, or replicate a server with another setting, which is chosen when its data directory is made"})
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
