// Package listtest opens the site of a test, with a writer of what its lists remember.
package listtest

import (
	"testing"

	"superlist/lists/cluster/clustertest"
	"superlist/lists/ledger/files"
	"superlist/lists/site"
	"superlist/lists/sitetest"
	"superlist/smtp"
)

// Site makes a site in a directory of its own, with these files in it, by name, and an
// empty spool. settings is TOML that is added.
func Site(t testing.TB, has map[string]string, settings ...string) *site.Site {
	t.Helper()
	dir := t.TempDir()
	sitetest.Files(t, dir, has)
	s, err := site.Load(sitetest.Write(t, dir, settings...))
	if err == nil {
		err = s.Spool().Init()
	}
	if err != nil {
		t.Fatal(err)
	}
	s.Ledger = files.On
	s.Disk = clustertest.Strict(t, s.ListsDir, nil)
	return s
}

// Path is an address.
func Path(s string) smtp.Path {
	p, ok := smtp.ParseAddress(s)
	if !ok {
		panic("not an address: " + s)
	}
	return p
}
