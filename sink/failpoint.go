package sink

// The steps at which tests make the sink fail.
const (
	stepStateLoaded      = "state-loaded"
	stepSchemaApplied    = "schema-applied"
	stepDataFileClosed   = "data-file-closed"
	stepDeleteFileClosed = "delete-file-closed"
	stepCommitSent       = "commit-sent"   // staged, about to be sent
	stepCommitLanded     = "commit-landed" // an error here is a lost reply
	stepTableCommitted   = "table-committed"
	stepLoadCheckpointed = "load-checkpointed"
	stepBeforeCut        = "before-cut"
	stepCutPublished     = "cut-published"
)

// failpoint is called at every step. Outside tests it does nothing.
var failpoint = func(string) error { return nil }
