package flagctl

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/user"
	"strings"

	"github.com/alecthomas/kong"
	mangokong "github.com/alecthomas/mango-kong"
	completion "github.com/jotaen/kong-completion"
	"github.com/posener/complete"

	"moderator/internal/config"
	"moderator/internal/matchdb"
	"moderator/internal/sandbox"
	"moderator/internal/version"
)

// Grammar is flagctl's command line.
type Grammar struct {
	config.Stack
	config.Model
	config.Limits
	config.Sandbox
	Config config.File `help:"YAML file whose keys are the flags' names." placeholder:"FILE"`
	Output string      `short:"o" help:"Output: ${enum}." enum:"table,json" default:"table"`
	As     string      `name:"as" help:"Who acts, for the audit log." default:"${user}" placeholder:"NAME"`

	PrintVersion kong.VersionFlag  `name:"version" help:"Print the version and exit."`
	Man          mangokong.ManFlag `help:"Print the manual page, as 'man -l -' reads it, and exit."`

	Add      addCommand      `cmd:"" help:"Flag pictures: files, folders, URLs."`
	Reembed  reembedCommand  `cmd:"" help:"Embed the flagged and allowed pictures with another model, from the originals."`
	List     listCommand     `cmd:"" help:"List flagged pictures."`
	Show     showCommand     `cmd:"" help:"Show one flagged picture."`
	Retract  retractCommand  `cmd:"" help:"Retract flags, by id or by a search."`
	Restore  restoreCommand  `cmd:"" help:"Undo retractions, by id or by a search."`
	Release  releaseCommand  `cmd:"" help:"Release flags from quarantine: they block again."`
	Allow    allowCommands   `cmd:"" help:"Keep the allow-list: innocent pictures that flags do not stop."`
	Audit    auditCommand    `cmd:"" help:"Show the audit log of the library: who, what, when, why."`
	History  historyCommand  `cmd:"" help:"Show the changes of one flag."`
	Lookback lookbackCommand `cmd:"" help:"Match flags against earlier uploads, and publish decisions on the uploads that match."`
	Replay   replayCommand   `cmd:"" help:"Judge earlier uploads with other thresholds or banks, and list what changes."`
	Search   searchCommand   `cmd:"" help:"Find the flagged pictures nearest to a picture."`
	Compare  compareCommand  `cmd:"" help:"Compare two pictures by every signal."`
	Bank     bankCommands    `cmd:"" help:"Keep the banks of flags."`
	Exchange exchangeVerbs   `cmd:"" help:"Keep the exchanges: hash-sharing programmes and other sources that are fetched into banks."`
	Import   importCommand   `cmd:"" help:"Flag the entries of a list: hashes, or flags of another library."`
	Export   exportCommand   `cmd:"" help:"Write the library as a list."`
	Submit   submitCommand   `cmd:"" help:"Publish pictures as uploads, and print their decisions."`
	Migrate  migrateCommand  `cmd:"" help:"Migrate the library's schema to this version, and register the model."`
	Verify   verifyCommand   `cmd:"" help:"Compare what matching finds with all rows of the library, and check the rows."`
	Stats    statsCommand    `cmd:"" help:"Count flags, new flags, and matches by uploads."`
	Dups     dupsCommand     `cmd:"" help:"Find copies of each other among the pictures of a folder."`
	Cluster  clusterCommand  `cmd:"" help:"Group similar pictures of a folder, and write a contact sheet."`

	Calibrate calibrateCommand `cmd:"" help:"Find the thresholds for a false-positive rate on your own pictures."`

	DecodeWorker decodeWorkerCommand `cmd:"" hidden:"" help:"Decode pictures for flagctl, confined."`

	Help       config.Help       `cmd:"" help:"Describe a command."`
	Version    versionCommand    `cmd:"" help:"Print the version."`
	Completion config.Completion `cmd:"" help:"Print the completion script of a shell."`
}

// cli is what every verb's Run gets.
type cli struct {
	*Grammar
	stdout, stderr io.Writer
}

type versionCommand struct{}

func (versionCommand) Run(c *cli) error {
	fmt.Fprintln(c.stdout, "flagctl", version.String())
	return nil
}

type decodeWorkerCommand struct{}

func (decodeWorkerCommand) Run() error { return sandbox.Work(os.Stdin, os.Stdout) }

// Run parses args and runs their verb.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	c := &cli{Grammar: &Grammar{}, stdout: stdout, stderr: stderr}
	parser, err := NewParser(c.Grammar, stdout, stderr)
	if err != nil {
		return err
	}
	completion.Register(parser, completion.WithPredictor("file", complete.PredictFiles("*")))
	command, err := parser.Parse(args)
	if err != nil {
		return err
	}
	for _, warning := range config.UnknownVariables(os.Environ()) {
		fmt.Fprintln(stderr, "flagctl: "+warning)
	}
	command.BindTo(ctx, (*context.Context)(nil))
	if err := command.Run(c); err != nil {
		return printableError{err}
	}
	return nil
}

// NewParser makes the parser of flagctl's command line.
func NewParser(g *Grammar, stdout, stderr io.Writer) (*kong.Kong, error) {
	return config.New(g, "flagctl", "Keeps the library of flagged pictures.", stdout, stderr, kong.Vars{"user": userName(), "version": "flagctl " + version.String(), "audit_kinds": strings.Join(matchdb.AuditKinds(), ",")})
}

func userName() string {
	if sudoer := os.Getenv("SUDO_USER"); sudoer != "" {
		return sudoer
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "unknown"
}
