package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"superlist/lists/cluster"
	"superlist/lists/cluster/pg"
)

// maxAhead is how far two clocks may be apart before somebody should look: times of records
// and posts are by the clock of the host that made them.
const maxAhead = 30 * time.Second

// cluster checks the database that hosts share, and this host's copy.
func (k *checker) cluster() {
	if k.site.Cluster.Database == "" {
		return
	}
	k.password()
	m, err := clusterOf(k.site)
	if err != nil {
		k.wrong("cluster", err.Error(), "")
		return
	}
	defer m.db.Close()
	v := m.view(time.Now())
	server, err := m.db.Inspect()
	switch mend := k.mendCluster(err); {
	case err != nil && !v.Answers:
		k.wrong("cluster", err.Error()+"; the copy of the lists here was last up to date "+before(v.FreshAt, v.now)+", posts go on from it, and all else waits", mend)
		return
	case err != nil:
		k.wrong("cluster", err.Error(), mend)
		return
	}
	k.database(server)
	for _, text := range v.Look {
		k.wrong("cluster", text, "")
	}
	if len(v.Look) == 0 {
		k.ok("cluster", "this host is %s, one of %s; its copy of %s is %s", v.Host, plural(len(v.Hosts), "host"), plural(v.Lists, "list"), v.copied())
	}
}

// password warns if others than the user may read the password for the database.
func (k *checker) password() {
	file := k.site.Cluster.PasswordFile
	if file == "" {
		return
	}
	if info, err := os.Stat(file); err == nil && info.Mode().Perm()&0o077 != 0 {
		k.warn("cluster", fmt.Sprintf("%s is open to others (%v)", file, info.Mode().Perm()), "chmod 0600 "+file)
	}
}

// database checks settings of the database, and the rights of its user.
func (k *checker) database(s pg.Server) {
	about := "cluster database"
	url := k.site.Cluster.Database
	encrypted := "; without TLS"
	if s.TLS {
		encrypted = ", by TLS"
	}
	switch {
	case s.Lossy != "":
		k.wrong(about, fmt.Sprintf("%s is off there: what was committed is lost if it goes down", s.Lossy), "set "+s.Lossy+" = on in postgresql.conf")
	case s.TLS && !strings.Contains(url, "sslmode=verify-full"):
		k.warn(about, "whoever is between this host and the database could read and change all lists", "add sslmode=verify-full to its URL, and sslrootcert=FILE if its authority is your own")
	case !s.TLS && !isLocal(url):
		k.warn(about, "what goes to the database and back is not encrypted", "switch ssl on there, and add sslmode=verify-full to its URL")
	}
	if len(s.Lacks) > 0 {
		k.wrong(about, "its user has no "+strings.Join(s.Lacks, ", no "), "GRANT it: docs/cluster.md has the statements")
	}
	if s.Superuser {
		k.warn(about, "its user is a superuser there, and needs little", "make one as docs/cluster.md says")
	}
	if s.Ahead.Abs() > maxAhead {
		k.warn(about, fmt.Sprintf("its clock and this host's are %s apart", roughly(s.Ahead.Abs().Round(time.Second))), "have both set their clocks by NTP")
	}
	k.ok(about, "PostgreSQL %s answers%s", s.Release, encrypted)
}

// isLocal reports whether a database is reached within this host.
func isLocal(url string) bool {
	_, rest, _ := strings.Cut(url, "://")
	server, _, _ := strings.Cut(rest, "/")
	server = server[strings.LastIndexByte(server, '@')+1:]
	return server == "" || strings.HasPrefix(server, "localhost") || strings.HasPrefix(server, "127.") || strings.HasPrefix(server, "[::1]") || strings.Contains(rest, "host=/") || strings.Contains(rest, "host=%2")
}

// mendCluster returns advice about a database that is of no use.
func (k *checker) mendCluster(err error) string {
	switch {
	case errors.Is(err, pg.ErrNewer), errors.Is(err, pg.ErrOlder), errors.Is(err, cluster.ErrNotInit):
		return ""
	case errors.Is(err, cluster.ErrAway):
		return "look at its log, and at pg_hba.conf there; what waits is done once it is back"
	}
	return ""
}
