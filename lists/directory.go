package lists

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"superlist/lists/config"
	"superlist/lists/ledger"
	"superlist/lists/site"
	"superlist/queue/disk"
	"superlist/smtp"
)

// A Directory is where the lists of a site stand: lists_dir, and what says how their
// addresses are written.
type Directory struct {
	Root      string
	Delimiter string
	Hostname  string        // for addresses without a domain
	QueueDir  string        // for what lists are to be reminded of
	Disk      *disk.Disk    // what all changes of a list go through
	Ledger    ledger.Writer // of what lists remember; nil in a session

	// Shares says that a domain has addresses of others, too. nil: none has.
	Shares func(domain string) bool
}

// Of is the site's directory of lists.
func Of(s *site.Site) Directory {
	return Directory{
		Root: s.ListsDir, Delimiter: s.RecipientDelimiter, Hostname: s.Hostname, QueueDir: s.QueueDir, Disk: s.Disk, Ledger: s.Writer(),
		Shares: func(domain string) bool { return s.Proxy.NextHop != "" || s.Shares(domain) },
	}
}

// Serves reports whether a domain has lists here. It is an error where that cannot
// be told: a disk that is not mounted must not have mail for a list go elsewhere.
func (s Directory) Serves(domain string) (bool, error) {
	ascii, ok := smtp.ASCIIDomain(domain)
	if !ok {
		return false, nil
	}
	info, err := os.Stat(filepath.Join(s.Root, ascii))
	if err == nil {
		return info.IsDir(), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	if _, err := os.Stat(s.Root); err != nil {
		return false, &config.Error{File: s.Root, Text: "it is not there"}
	}
	return false, nil
}
