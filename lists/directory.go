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

// A Directory is where the lists of a site are: lists_dir, and the rules for writing
// their addresses.
type Directory struct {
	Root      string
	Delimiter string
	Hostname  string        // for addresses without a domain
	QueueDir  string        // for reminders
	Disk      *disk.Disk    // all changes of a list go through it
	Ledger    ledger.Writer // writes what lists remember; nil in a session

	// Shares reports whether a domain also has addresses that are not lists. If nil, no
	// domain has.
	Shares func(domain string) bool
}

// Of returns the site's directory of lists.
func Of(s *site.Site) Directory {
	return Directory{
		Root: s.ListsDir, Delimiter: s.RecipientDelimiter, Hostname: s.Hostname, QueueDir: s.QueueDir, Disk: s.Disk, Ledger: s.Writer(),
		Shares: func(domain string) bool { return s.Proxy.NextHop != "" || s.Shares(domain) },
	}
}

// Serves reports whether a domain has lists here. It returns an error if that cannot be
// determined: if a disk is not mounted, mail for a list must not go elsewhere.
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
	return false, s.restoring()
}

// RestoringFile is there while a whole backup is put back.
const RestoringFile = ".restoring"

// restoring is an error while a backup is put back: a list that is not there may come, and
// its mail must not be refused for good.
func (s Directory) restoring() error {
	file := filepath.Join(s.Root, RestoringFile)
	if _, err := os.Lstat(file); err != nil {
		return nil
	}
	return &config.Error{File: file, Text: "superlist restore is not done: until it is, a list may be missing"}
}
