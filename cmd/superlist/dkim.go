package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"superlist/lists/signature"
	"superlist/lists/site"
	"superlist/queue/disk"
	"superlist/smtp"
	"superlist/smtp/mx"
)

func (a *app) dkimCommand() *cobra.Command {
	c := &cobra.Command{Use: "dkim", Short: "Make and show keys for signing mail (DKIM)",
		Example: "  superlist dkim genkey /etc/superlist/dkim.pem", Args: args(subcommand),
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	c.AddCommand(a.dkimGenkeyCommand(), a.dkimShowCommand())
	return c
}

func (a *app) dkimGenkeyCommand() *cobra.Command {
	var kind, domain, selector string
	var asJSON bool
	c := &cobra.Command{
		Use: "genkey FILE", Short: "Make a key, and say what to put into the DNS",
		Long: `Make a key for signing mail, in a new FILE that only the configured user can
read, and print the record for the DNS and the lines for superlist.toml. Put the
record into the DNS first: what is signed before it is there counts as unsigned.

RSA keys are known everywhere. Ed25519 keys are shorter, and some receivers do
not know them yet.`,
		Example: `  superlist dkim genkey /etc/superlist/dkim.pem
  superlist dkim genkey --type ed25519 --selector s2 /etc/superlist/dkim2.pem`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, arg []string) error {
			s, err := a.readSite() // the file may be in a directory of root's
			if err != nil {
				return err
			}
			domain, selector := cmp.Or(domain, s.DKIM.Domain, s.Hostname), cmp.Or(selector, s.DKIM.Selector, "superlist")
			if !smtp.ValidDomain(domain) || !smtp.ValidDomain(selector) || !smtp.IsASCII(domain+selector) {
				return usageError{errors.New("--domain and --selector are names in the DNS, in ASCII")}
			}
			file, err := filepath.Abs(arg[0])
			if err != nil {
				return err
			}
			if err := makeKey(s, file, kind); err != nil {
				return err
			}
			signer, err := signature.Open(domain, selector, file)
			if err != nil {
				return err
			}
			key, err := keyOf(signer, file)
			if err != nil {
				return err
			}
			return answer(c, asJSON, key, "; for the DNS, in one record:\n%s\n\n# for %s:\n[dkim]\ndomain   = %q\nselector = %q\nkey_file = %q", key.Zone, s.File(), domain, selector, file)
		},
	}
	jsonFlag(c, &asJSON)
	c.Flags().StringVar(&kind, "type", signature.RSA, "rsa or ed25519")
	c.Flags().StringVar(&domain, "domain", "", "in whose name mail is signed (default: that in [dkim], or hostname)")
	c.Flags().StringVar(&selector, "selector", "", "the name of the key there (default: that in [dkim], or superlist)")
	c.RegisterFlagCompletionFunc("type", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return []string{signature.RSA, signature.Ed25519}, cobra.ShellCompDirectiveNoFileComp
	})
	return c
}

// A dkimKey is a key, and what the DNS has to have for it.
type dkimKey struct {
	Domain   string `json:"domain"`
	Selector string `json:"selector"`
	File     string `json:"key_file"`
	Name     string `json:"name"`
	Record   string `json:"record"`
	Zone     string `json:"zone"` // the record as a zone file has it
}

func keyOf(s *signature.Signer, file string) (dkimKey, error) {
	record, err := s.Record()
	if err != nil {
		return dkimKey{}, err
	}
	zone, err := s.ZoneLine()
	return dkimKey{s.Domain, s.Selector, file, s.Name(), record, zone}, err
}

// makeKey writes a new key. It does not replace an existing one: mail in transit needs
// it.
func makeKey(s *site.Site, file, kind string) error {
	if _, err := os.Lstat(file); err == nil {
		return usageError{fmt.Errorf("%s is there already; name a new file, and keep the old key until its mail has arrived", file)}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	text, err := signature.Generate(kind)
	if err != nil {
		return usageError{err}
	}
	owner, err := ownerOf(s)
	if err != nil {
		return err
	}
	b, err := (*disk.Disk)(nil).Beside(file)
	if err != nil {
		return err
	}
	defer b.Abort()
	if owner != nil {
		if err := b.Chown(owner.UID, owner.GID); err != nil {
			return err
		}
	}
	if _, err := b.Write(text); err != nil {
		return err
	}
	return b.Commit()
}

func (a *app) dkimShowCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "show", Short: "Show the record that the DNS has to have for the key in use",
		Long: `Show the record that the DNS has to have for the key in [dkim] of the
configuration. "superlist check" asks the DNS whether it does.`,
		Example: "  superlist dkim show", Args: args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := a.site()
			if err != nil {
				return err
			}
			if s.DKIM.Domain == "" {
				return &exitError{exConfig, fmt.Errorf("%s names no key; superlist dkim genkey makes one", s.File())}
			}
			signer, err := signature.Open(s.DKIM.Domain, s.DKIM.Selector, s.DKIM.KeyFile)
			if err != nil {
				return err
			}
			key, err := keyOf(signer, s.DKIM.KeyFile)
			if err != nil {
				return err
			}
			return answer(c, asJSON, key, "%s", key.Zone)
		},
	}
	jsonFlag(c, &asJSON)
	return c
}

// signing asks the DNS whether our signatures can be verified.
func (k *checker) signing() {
	d := k.site.DKIM
	if d.Domain == "" {
		return
	}
	const about = "dkim"
	signer, err := signature.Open(d.Domain, d.Selector, d.KeyFile)
	if err != nil {
		k.wrong(about, err.Error(), "no mail leaves until this is fixed; superlist dkim genkey makes a key")
		return
	}
	if info, err := os.Stat(d.KeyFile); err == nil && info.Mode()&0o077 != 0 {
		k.wrong(about, d.KeyFile+" can be read by others, who can sign in your name", "chmod 600 "+d.KeyFile+", and make a new key")
	}
	ctx, cancel := context.WithTimeout(k.ctx, dnsTimeout)
	defer cancel()
	resolver, err := mx.At(k.site.DNS())
	var records []string
	if err == nil {
		records, err = resolver.TXT(ctx, signer.Name()+".")
	}
	if err != nil {
		k.warn(about, "nobody can say whether the record is there: "+err.Error(), "set resolver to one that answers, or fix /etc/resolv.conf")
		return
	}
	if err := signer.Fits(records); err != nil {
		k.wrong(about, err.Error()+", so nobody can verify what is signed", "superlist dkim show has what must be there")
		return
	}
	k.ok(about, "mail is signed for %s, and the record at %s fits", d.Domain, signer.Name())
}
