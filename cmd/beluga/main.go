package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

// Exit codes, so that scripts and service managers need not read messages.
const (
	exitOK       = 0
	exitFault    = 1
	exitUsage    = 2 // command line or configuration
	exitPosition = 3 // the source no longer has, or never had, the position of the lake
	exitInstance = 4 // another instance writes the same tables
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], streams{os.Stdout, os.Stderr}))
}

// streams are where a command writes: results to out, everything else to err.
type streams struct{ out, err io.Writer }

// run executes the command line and returns the exit code.
func run(ctx context.Context, args []string, io streams) int {
	root, started := newRoot(io)
	root.SetArgs(append([]string{}, args...)) // nil would mean those of the process
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	code := exitCode(err)
	if !*started && code == exitFault { // cobra's own errors have no type
		code = exitUsage
	}
	fmt.Fprintln(io.err, "beluga: "+remedyApart(strings.TrimSuffix(err.Error(), "\n"), "    "))
	return code
}

// remedyApart puts what is to be done on a line of its own.
func remedyApart(text, indent string) string {
	return strings.ReplaceAll(text, "; remedy: ", "\n"+indent+"remedy: ")
}

// newRoot returns the command tree, and where it notes that a command line was
// understood and its command began.
func newRoot(io streams) (root *cobra.Command, started *bool) {
	started = new(bool)
	root = &cobra.Command{
		Use:   "beluga",
		Short: "Replicate MySQL into Apache Iceberg tables, continuously and exactly once",
		Long: `Beluga replicates a MySQL database into Apache Iceberg tables: it loads what is
there, then follows the binlog. Every change arrives once, in order, and all
tables together always show one state that the database had.`,
		Example: `  beluga run --from mysql://root@localhost/shop --to ./lake
  beluga status --to ./lake
  beluga verify --from mysql://root@localhost/shop --to ./lake`,
		SilenceErrors:     true,
		SilenceUsage:      true,
		PersistentPreRun:  func(*cobra.Command, []string) { *started = true },
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
		Args:              cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			return unknownCommand(cmd, args[0])
		},
	}
	root.SetOut(io.out)
	root.SetErr(io.err)
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(runCommand(io), sourceCommand(io), sinkCommand(io), checkCommand(io), statusCommand(io), tablesCommand(io), verifyCommand(io), snapshotCommand(io), signalCommand(io), benchCommand(io), versionCommand(io))
	root.SetHelpCommand(&cobra.Command{Use: "no-help", Hidden: true})
	return root, started
}

func unknownCommand(root *cobra.Command, name string) error {
	var known []string
	for _, c := range root.Commands() {
		if !c.Hidden {
			known = append(known, c.Name())
		}
	}
	help := "the commands are " + strings.Join(known, ", ")
	if near := nearest(name, known); near != "" {
		help = "did you mean " + near + "? " + help
	}
	return usageError{fmt.Errorf("unknown command %q", name), help}
}
