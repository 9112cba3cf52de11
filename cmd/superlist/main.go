// Superlist is the operator's tool: it makes lists and members, delivers what waits in
// the spool, and reports what is wrong.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"

	"superlist/lists"
	"superlist/lists/config"
	"superlist/lists/edit"
	"superlist/lists/ledger/files"
	"superlist/lists/migrate"
	"superlist/lists/site"
	"superlist/queue"
	"superlist/queue/disk"
	"superlist/smtp"
)

// run carries out one command and returns its exit code.
func run(ctx context.Context, args []string, in io.Reader, out, errOut io.Writer) int {
	a := &app{}
	root := a.root()
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errOut)
	err := a.denied(root.ExecuteContext(ctx))
	a.shared.close()
	if err != nil && !errors.Is(err, errSaid) {
		say(errOut, "superlist: %v\n", err)
	}
	return exitCode(err)
}

// An app is what the commands share.
type app struct {
	config string     // the flag -c
	opened *site.Site // set once its configuration has been read
	shared *shared    // nil: no other host has the same lists
}

func newRoot() *cobra.Command { return new(app).root() }

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "superlist",
		Short: "Mailing lists behind Postfix, without a daemon",
		Long: `superlist manages mailing lists and their members, delivers what waits in the
spool, and shows what is wrong. Posts come in through superlist-spawn.`,
		Example: `  superlist list create dev@lists.example.org --owner you@example.org
  superlist member add dev@lists.example.org alice@example.com bob@example.net
  superlist check
  superlist queue ls`,
		SilenceUsage: true, SilenceErrors: true,
		Args: args(subcommand), RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.PersistentFlags().StringVarP(&a.config, "config", "c", "",
		"configuration file (else $SUPERLIST_CONFIG, else "+site.DefaultConfig+")")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(a.listCommand(), a.memberCommand(), a.deliverCommand(), a.digestCommand(), a.queueCommand(), a.heldCommand(), a.archiveCommand(), a.webCommand(), a.importCommand(), a.exportCommand(), a.explainCommand(), a.bounceCommand(), a.passwdCommand(), a.dkimCommand(), a.tokenCommand(), a.checkCommand(), a.setupCommand(), a.backupCommand(), a.restoreCommand(), a.statusCommand(), a.clusterCommand(), a.traceCommand(), a.logCommand(), a.versionCommand())
	root.Version = version()
	root.SetVersionTemplate("superlist {{.Version}}\n")
	root.SetUsageTemplate(usageTemplate(root))
	return root
}

// site reads the configuration and becomes its user. A command that reads a file as its
// caller, who may be root, must open it before.
func (a *app) site() (*site.Site, error) {
	site, err := a.readSite()
	if err != nil {
		return nil, err
	}
	if err := site.BecomeUser(); err != nil {
		return nil, err
	}
	return site, lists.Of(site).CheckFormat()
}

func (a *app) readSite() (*site.Site, error) {
	site, err := site.Load(site.ConfigFile(a.config))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &exitError{exConfig, fmt.Errorf("no configuration: %w; make it, or name another with -c or $SUPERLIST_CONFIG", err)}
	}
	if err == nil {
		site.Ledger = files.On
		a.share(site)
		a.opened = site
	}
	return site, err
}

// list opens the list that an argument names.
func (a *app) list(address string) (*lists.List, error) {
	site, err := a.site()
	if err != nil {
		return nil, err
	}
	return openList(site, address)
}

func openList(site *site.Site, address string) (*lists.List, error) {
	addr, err := parseAddress(address)
	if err != nil {
		return nil, err
	}
	l, err := lists.Of(site).Open(addr)
	if errors.Is(err, lists.ReplyNoList) {
		return nil, &exitError{exNoUser, fmt.Errorf("there is no list %s; %s", addr.Address(), instead(site, addr))}
	}
	return l, err
}

// instead suggests what may have been meant by a list that does not exist: one with a
// similar name, or with this name in another domain.
func instead(site *site.Site, address smtp.Path) string {
	names, domains, n := []string{}, []string{}, 0
	lists.Of(site).All(func(addr smtp.Path, _ *lists.List, _ error) bool {
		if strings.EqualFold(addr.Domain, address.Domain) {
			names = append(names, addr.Local)
		}
		if strings.EqualFold(addr.Local, address.Local) {
			domains = append(domains, addr.Domain)
		}
		n++
		return n < maxNear
	})
	near := address
	if near.Local = config.Nearest(strings.ToLower(address.Local), names); near.Local != "" {
		return "did you mean " + near.Address() + "?"
	}
	near = address
	if near.Domain = config.Nearest(strings.ToLower(address.Domain), domains); near.Domain != "" {
		return "did you mean " + near.Address() + "?"
	}
	return "superlist list ls shows those there are"
}

// maxNear is how many lists are searched for the one that was meant: more would take
// too long.
const maxNear = 1000

func parseAddress(s string) (smtp.Path, error) {
	p, ok := smtp.ParseAddress(s)
	if !ok {
		return p, &exitError{exDataErr, fmt.Errorf("%q is not a mail address", s)}
	}
	return p, nil
}

// Exit codes: sysexits(3).
const (
	exUsage       = 64
	exDataErr     = 65
	exNoInput     = 66
	exNoUser      = 67
	exUnavailable = 69
	exSoftware    = 70
	exCantCreate  = 73
	exIOErr       = 74
	exTempFail    = 75
	exNoPerm      = 77
	exConfig      = 78
)

// An exitError is an error with an exit code of its own.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

// errSaid means that another process of ours has already reported the error.
var errSaid = errors.New("it was said already")

// A usageError is a mistake on the command line.
type usageError struct{ error }

// exitCode returns the exit code for an error. An error that wraps a Reply is mapped as
// that Reply is: by smtp.ReplyTo.
func exitCode(err error) int {
	var exit *exitError
	var config *config.Error
	var input *edit.InputError
	var usage usageError
	var unsaid *migrate.UsageError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.code
	case clusterCode(err) != 0:
		return clusterCode(err)
	case errors.As(err, &config):
		return exConfig
	case errors.As(err, &input), errors.Is(err, queue.ErrDamaged), errors.Is(err, disk.ErrNotRegular),
		errors.Is(err, migrate.ErrParcel), errors.Is(err, migrate.ErrNotThis):
		return exDataErr
	case errors.As(err, &usage), errors.As(err, &unsaid):
		return exUsage
	case errors.Is(err, queue.ErrBusy):
		return exTempFail
	case errors.Is(err, fs.ErrPermission):
		return exNoPerm
	case errors.Is(err, fs.ErrNotExist):
		return exNoInput
	case errors.Is(err, fs.ErrExist):
		return exCantCreate
	case smtp.ReplyTo(err).Permanent():
		return exUnavailable
	case smtp.ReplyTo(err) != smtp.ReplyLocal:
		return exTempFail
	}
	var path *fs.PathError
	if errors.As(err, &path) {
		return exIOErr
	}
	return exSoftware
}

// subcommand checks the arguments of a command that only has subcommands: any argument
// is an unknown one.
func subcommand(c *cobra.Command, a []string) error {
	if len(a) == 0 {
		return nil
	}
	c.SuggestionsMinimumDistance = 2
	if near := c.SuggestionsFor(a[0]); len(near) > 0 {
		return fmt.Errorf("unknown command %q; did you mean %s?", a[0], strings.Join(near, " or "))
	}
	return fmt.Errorf("unknown command %q", a[0])
}
