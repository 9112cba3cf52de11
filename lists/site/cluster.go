package site

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"superlist/lists/config"
)

// A Cluster is the table [cluster]: the database that several hosts share.
type Cluster struct {
	Database     string // postgres://…, without a password; empty: this host is alone
	PasswordFile string
	Host         string // this host's name among them; empty: that of the machine
}

// Keys returns the keys that the table may have.
func (c *Cluster) Keys() []config.Key {
	return []config.Key{
		{Name: "database", To: &c.Database},
		{Name: "password_file", To: &c.PasswordFile},
		{Name: "host", To: &c.Host},
	}
}

// maxClusterHost is the longest name of a host: a label of the DNS has 63 letters, and a
// machine may have two of them.
const maxClusterHost = 128

// Name returns the name of this host among those of the cluster.
func (c *Cluster) Name() (string, error) {
	if c.Host != "" {
		return c.Host, nil
	}
	name, err := os.Hostname()
	if err == nil && !validClusterHost(name) {
		err = fmt.Errorf("the name of this machine, %q, is no plain word: set host in [cluster]", name)
	}
	return name, err
}

func validClusterHost(name string) bool {
	for i := range len(name) {
		c := name[i]
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !letter && (i == 0 || !strings.ContainsRune("-_.", rune(c))) {
			return false
		}
	}
	return name != "" && len(name) <= maxClusterHost
}

// checkCluster checks [cluster].
func (s *Site) checkCluster() error {
	c := &s.Cluster
	scheme, rest, _ := strings.Cut(c.Database, "://")
	server, query, _ := strings.Cut(rest, "?")
	server, _, _ = strings.Cut(server, "/")
	user := server[:max(0, strings.LastIndexByte(server, '@'))]
	switch {
	case c.Database == "" && c.PasswordFile != "":
		return s.wrong("cluster.password_file", "needs database: where the password is said")
	case c.Database == "" && c.Host != "":
		return s.wrong("cluster.host", "needs database: where the hosts meet")
	case c.Database == "":
		return nil
	case scheme != "postgres" && scheme != "postgresql" || strings.ContainsFunc(rest, func(c rune) bool { return c <= ' ' || c > '~' }):
		return s.wrong("cluster.database", `must be an address like "postgres://superlist@db.example.org/superlist?sslmode=verify-full"`)
	case strings.Contains(user, ":") || strings.HasPrefix(query, "password=") || strings.Contains(query, "&password="):
		return s.wrong("cluster.database", "must have no password, since this file is read by many; put it into the first line of a file of its own, and name that as password_file")
	case c.PasswordFile != "" && !filepath.IsAbs(c.PasswordFile):
		return s.wrong("cluster.password_file", "must be a file name that begins with /")
	case c.Host != "" && !validClusterHost(c.Host):
		return s.wrong("cluster.host", fmt.Sprintf("must be a plain word of at most %d letters, digits, hyphens, dots and underscores, such as mx1", maxClusterHost))
	}
	return nil
}

// InCluster reports whether other hosts have the same lists.
func (s *Site) InCluster() bool { return s.Cluster.Database != "" }

// Own returns an id that no other host of the cluster has: a host that is alone needs none
// of its own.
func (s *Site) Own(id string) string {
	if !s.InCluster() {
		return id
	}
	host, err := s.Cluster.Name()
	if err != nil {
		host = s.Hostname
	}
	return id + "-" + host
}
