package site

import (
	"path/filepath"
	"strings"

	"superlist/lists/config"
	"superlist/smtp"
)

// A DKIM is the table [dkim]: how mail is signed as it leaves. Without a domain it is
// not signed.
type DKIM struct {
	Domain   string
	Selector string
	KeyFile  string
}

// Keys returns the keys that the table may have.
func (d *DKIM) Keys() []config.Key {
	return []config.Key{
		{Name: "domain", To: &d.Domain},
		{Name: "selector", To: &d.Selector},
		{Name: "key_file", To: &d.KeyFile},
	}
}

// check returns the key that is wrong and what is wrong with it; both are empty if
// nothing is.
func (d *DKIM) check() (key, text string) {
	if d.Domain == "" && d.Selector == "" && d.KeyFile == "" {
		return "", ""
	}
	switch {
	case d.Domain == "":
		return "domain", "is needed with selector and key_file: the domain in whose name mail is signed"
	case !smtp.ValidDomain(d.Domain) || !smtp.IsASCII(d.Domain):
		return "domain", "must be a domain in ASCII, such as \"lists.example.org\""
	case d.Selector == "":
		return "domain", "needs selector, the name of the key in the DNS, such as \"s2026\""
	case !smtp.ValidDomain(d.Selector) || !smtp.IsASCII(d.Selector) || strings.HasSuffix(d.Selector, "."):
		return "selector", "must be letters, digits and hyphens, such as \"s2026\""
	case d.KeyFile == "":
		return "domain", "needs key_file, the file that \"superlist dkim genkey\" makes"
	case !filepath.IsAbs(d.KeyFile):
		return "key_file", "must be a file name that begins with /"
	}
	return "", ""
}
