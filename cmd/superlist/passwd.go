package main

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"superlist/lists/account"
	"superlist/lists/site"
	"superlist/smtp"
)

// passwdOptions are the flags of passwd.
type passwdOptions struct {
	schemes   []string
	addresses []string
	remove    bool
	list      bool
	asJSON    bool
}

func (a *app) passwdCommand() *cobra.Command {
	var o passwdOptions
	c := &cobra.Command{
		Use: "passwd USER", Short: "Set a password to log in with",
		Long: `Set a password to log in with, in the passwd_file that [auth] in the
configuration names. The command asks for it on a terminal; otherwise it reads
the first line of standard input. The file contains no passwords, only what is
needed to check one. Sessions that begin after the change use it.

Those who log in may post as USER, if that is a mail address, and as the
addresses given with --address. The addresses stay when only the password
changes; --address "" removes them.

The scheme decides how USER can log in: argon2id and bcrypt with PLAIN and
LOGIN, scram-sha-256 also with SCRAM-SHA-256, cram-md5 also with CRAM-MD5. A
mechanism is offered once every account can use it, so the default is the scheme
of the first account in the file, and argon2id for the first one. Several
schemes are several ways to check one password.`,
		Example: `  superlist passwd alice@example.com
  superlist passwd --scheme scram-sha-256,cram-md5 alice@example.com
  pwgen -s 16 1 | superlist passwd --address bob@example.net,bob@example.org bob
  superlist passwd --delete bob
  superlist passwd --list`,
		RunE: func(c *cobra.Command, arg []string) error { return a.passwd(c, arg, o) },
	}
	c.Args = args(func(c *cobra.Command, arg []string) error {
		if o.list {
			return cobra.NoArgs(c, arg)
		}
		return cobra.ExactArgs(1)(c, arg)
	})
	c.Flags().StringSliceVar(&o.schemes, "scheme", nil, strings.Join(account.Schemes, ", ")+"; several are separated by commas")
	c.Flags().StringSliceVar(&o.addresses, "address", nil, "addresses that USER may post as, separated by commas")
	c.Flags().BoolVar(&o.remove, "delete", false, "remove USER from the file")
	c.Flags().BoolVar(&o.list, "list", false, "show who is in the file")
	jsonFlag(c, &o.asJSON)
	c.RegisterFlagCompletionFunc("scheme", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return account.Schemes, cobra.ShellCompDirectiveNoFileComp
	})
	c.MarkFlagsMutuallyExclusive("list", "delete", "scheme")
	c.MarkFlagsMutuallyExclusive("list", "delete", "address")
	return c
}

// passwd does not become the site's user: the file may be in a directory of root's.
func (a *app) passwd(c *cobra.Command, arg []string, o passwdOptions) error {
	site, err := a.readSite()
	if err != nil {
		return err
	}
	file := site.Auth.PasswdFile
	if file == "" {
		return &exitError{exConfig, fmt.Errorf(
			"%s names no passwd_file; put it into the table [auth], as passwd_file = \"/etc/superlist/users\"", site.File())}
	}
	switch {
	case o.list:
		return listAccounts(c, file, o.asJSON)
	case o.asJSON:
		return usageError{errors.New("--json goes with --list")}
	}
	owner, err := ownerOf(site)
	if err != nil {
		return err
	}
	if o.remove {
		return deleteAccount(c, file, owner, arg[0])
	}
	return setPassword(c, file, owner, arg[0], o)
}

func setPassword(c *cobra.Command, file string, owner *account.Owner, name string, o passwdOptions) error {
	for _, scheme := range o.schemes {
		if !slices.Contains(account.Schemes, scheme) {
			return usageError{fmt.Errorf("no scheme %q; there are %s", scheme, strings.Join(account.Schemes, ", "))}
		}
	}
	var addresses []smtp.Path
	for _, s := range o.addresses {
		if s == "" {
			continue
		}
		p, err := parseAddress(s)
		if err != nil {
			return err
		}
		addresses = append(addresses, p)
	}
	if _, err := account.CheckName(name); err != nil {
		return &exitError{exDataErr, err}
	}
	password, err := readPassword(c, name) // before the file is locked, since a person takes time
	if err != nil {
		return err
	}
	return account.Edit(nil, file, owner, func(e *account.Editor) error {
		there, known := e.Find(name)
		schemes := slices.Compact(o.schemes)
		switch {
		case len(schemes) > 0:
		case known:
			schemes = there.Schemes()
		default:
			schemes = e.Schemes()
		}
		if !c.Flags().Changed("address") {
			addresses = there.Addresses
		}
		if err := e.Set(name, password, schemes, addresses); err != nil {
			return &exitError{exDataErr, err}
		}
		word := "added"
		if known {
			word = "changed"
		}
		say(c.OutOrStdout(), "%s %s (%s)\n", word, printable(name), strings.Join(schemes, ", "))
		return nil
	})
}

func deleteAccount(c *cobra.Command, file string, owner *account.Owner, name string) error {
	return account.Edit(nil, file, owner, func(e *account.Editor) error {
		if !e.Delete(name) {
			return &exitError{exNoUser, fmt.Errorf("%s has no account %s; superlist passwd --list shows those there are", file, name)}
		}
		say(c.OutOrStdout(), "deleted %s\n", printable(name))
		return nil
	})
}

// An accountRow is an account as --list shows it.
type accountRow struct {
	Name      string   `json:"name"`
	Schemes   []string `json:"schemes"`
	Addresses []string `json:"addresses"` // the addresses it may post as
}

func accountRowOf(a account.Account) accountRow {
	row := accountRow{Name: a.Name, Schemes: a.Schemes(), Addresses: []string{}}
	for _, p := range a.Authors() {
		row.Addresses = append(row.Addresses, p.Address())
	}
	return row
}

func listAccounts(c *cobra.Command, file string, asJSON bool) error {
	f, err := account.Read(file)
	if err != nil {
		return err
	}
	t := table{"NAME", "SCHEMES", "MAY POST AS"}.rows()
	rows := []accountRow{}
	for _, a := range f.Accounts {
		row := accountRowOf(a)
		rows = append(rows, row)
		t.add(row.Name, strings.Join(row.Schemes, ","), cmp.Or(strings.Join(row.Addresses, ","), "-"))
	}
	return show(c, asJSON, rows, t)
}

// ownerOf returns whom the file should belong to: the user of sessions, if we may
// change the owner.
func ownerOf(site *site.Site) (*account.Owner, error) {
	if os.Geteuid() != 0 || site.User == "" {
		return nil, nil
	}
	u, err := user.Lookup(site.User)
	if err != nil {
		return nil, &exitError{exConfig, fmt.Errorf("%s: user: there is no user %q; make it with: useradd --system %s", site.File(), site.User, site.User)}
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	return &account.Owner{UID: uid, GID: gid}, nil
}

// maxPasswordLine is longer than any accepted password.
const maxPasswordLine = 1024

// readPassword asks for a password twice, without showing it. Without a terminal it
// reads one line.
func readPassword(c *cobra.Command, name string) (string, error) {
	in, ok := c.InOrStdin().(*os.File)
	if !ok || !isTerminal(in) {
		line, err := bufio.NewReader(io.LimitReader(c.InOrStdin(), maxPasswordLine)).ReadString('\n')
		if err != nil && err != io.EOF {
			return "", err
		}
		line = strings.TrimRight(line, "\r\n")
		if line == "" {
			return "", &exitError{exDataErr, errors.New("standard input has no password in its first line; nothing was changed")}
		}
		return line, nil
	}
	first, err := ask(c, in, fmt.Sprintf("Password for %s: ", printable(name)))
	if err != nil {
		return "", err
	}
	again, err := ask(c, in, "Once more: ")
	if err != nil {
		return "", err
	}
	if first != again {
		return "", &exitError{exDataErr, errors.New("the two passwords differ; nothing was changed")}
	}
	return first, nil
}

func ask(c *cobra.Command, in *os.File, prompt string) (string, error) {
	say(c.ErrOrStderr(), "%s", prompt)
	password, err := term.ReadPassword(int(in.Fd()))
	fmt.Fprintln(c.ErrOrStderr())
	if err == io.EOF {
		err = &exitError{exDataErr, errors.New("no password; nothing was changed")}
	}
	return string(password), err
}
