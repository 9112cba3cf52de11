package main

import (
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"superlist/lists/sitetest"

	"superlist/lists/account"
	"superlist/lists/entry"
	"superlist/lists/site"
	"superlist/lists/tlsserver"
	"superlist/lists/tlsserver/tlsservertest"
	"superlist/lists/token"
	"superlist/smtp"
	"superlist/smtp/smtptest"
	"superlist/smtp/smtptest/recording"
)

// siteOf makes the site that a recorded session talks to.
func siteOf(t testing.TB, script *smtptest.Script) *site.Site {
	t.Helper()
	dir := t.TempDir()
	if settings, _ := script.File("superlist.toml"); strings.Contains(settings, "tls = true") {
		tlsservertest.New(t).Files(t, dir, "lists.example.org")
	}
	config := sitetest.Recorded(t, dir, script, []string{"users", "tls."}, []string{"peer", "tls", "nexthop"},
		fmt.Sprintf("ssl_server_crt = %q\nssl_server_key = %q", dir+"/tls.crt", dir+"/tls.key"))
	s, err := site.Load(config)
	if _, none := os.Stat(dir + "/spool"); err == nil && none == nil { // a recording has files in it
		err = s.Spool().Init()
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// peerOf is the client: what the file peer says, an address and port or unix, or
// else a pipe.
func peerOf(t testing.TB, script *smtptest.Script) smtp.Peer {
	for _, f := range script.Files {
		if f.Name == "peer" {
			if name := strings.TrimSpace(string(f.Data)); name == "unix" {
				return smtp.Peer{Name: name}
			}
			addr, err := netip.ParseAddrPort(strings.TrimSpace(string(f.Data)))
			if err != nil {
				t.Fatal(err)
			}
			return smtp.Peer{Addr: addr}
		}
	}
	return smtp.Peer{Name: "stdin"}
}

// play runs one session of the real backend against a recording, and gives its
// log.
func play(t testing.TB, site *site.Site, script *smtptest.Script, conn *recorder, behind *hops) []string {
	var log []string
	begin := func() *smtp.Session {
		s := entry.Session(site, nil)
		s.Peer = peerOf(t, script)
		if hasFile(script, "tls") {
			s.TLS = smtp.TLS{Version: "TLSv1.3", Cipher: "TLS_AES_128_GCM_SHA256"}
		}
		if site.Proxy.NextHop != "" {
			entry.Before(s, site, behind.dial)
		}
		s.Log = func(e smtp.Event) { log = append(log, e.String()) }
		return s
	}
	session := begin()
	session.HandOver = func(state *smtp.State) error {
		text, err := state.MarshalText()
		if err != nil {
			return err
		}
		next := begin() // as superlist-session does
		next.Resume = new(smtp.State)
		if err := next.Resume.UnmarshalText(text); err != nil {
			t.Errorf("%v\n%s", err, text)
		}
		next.TLSServer = &tlsserver.Server{Site: site}
		next.CheckHelo = knownNames
		if site.Auth.Offered() != nil {
			defer account.Join(site, next).Close()
			next.Auth.Wait = func(time.Duration) {}
		}
		next.Serve(conn)
		return nil
	}
	session.Serve(conn)
	if err := conn.Close(); err != nil {
		t.Errorf("%v\nlog:\n%s", err, strings.Join(log, "\n"))
	}
	return log
}

// knownNames stands for the name service.
func knownNames(name string) error {
	switch name {
	case "client.example":
		return nil
	case "slow.example":
		return fmt.Errorf("%w: %w", smtp.Reply{Code: 451, Enhanced: "4.4.3", Text: "no answer"}, os.ErrDeadlineExceeded)
	}
	return smtp.Reply{Code: 550, Enhanced: "5.7.1", Text: "no such host"}
}

// TestSessions plays every recording, whole and one byte at a time. Below its
// session a recording may have files: superlist.toml (lines to add, with DIR for
// the site's folder), users (a passwd-file),
// lists/<domain>/<name>/<file> and spool/<box>/<file> are there before; peer is
// the client's address and port; tls says that the session is inside TLS already; each nexthop is what a connection to the next hop
// carries, in order; each inbound is a message that must be in the spool
// afterwards, in order, untouched says that there must be no spool at all, and log
// is lines that the log must have, in order, both with * for anything. No message
// may be there that was not acknowledged, nor be missing that was. STAMP-MAC stands
// for the proof in a return address that dev makes now, CONFIRM-GOOD and CONFIRM-OLD
// for confirmations of carol@example.com's. TODAY, TOMORROW, THIS-HOUR and NEXT-HOUR
// are days and hours as lists count them, also in the names of files.
func TestSessions(t *testing.T) {
	scripts, err := smtptest.ReadAll("../../testdata/*.session")
	if err != nil {
		t.Fatal(err)
	}
	for _, script := range scripts {
		prove(script)
		for _, mode := range []string{"whole", "bytewise"} {
			t.Run(script.Name+"/"+mode, func(t *testing.T) {
				t.Parallel()
				site := siteOf(t, script)
				conn := script.Plays('C')
				conn.OneByte = mode == "bytewise"
				behind := hopsOf(t, script, conn.OneByte)
				heard := &recorder{Conn: conn}
				log := play(t, site, script, heard, behind)
				if !hasFile(script, "nexthop") { // what is passed on is another's
					checkCodes(t, heard.said.String())
				}
				behind.check()
				if mode == "whole" && conn.Writes > 1 {
					t.Errorf("the answer to one piece went out in %d pieces", conn.Writes)
				}
				sitetest.CheckSpool(t, site.QueueDir, script, log)
				sitetest.CheckLog(t, script, log)
			})
		}
	}
}

// confirmation is the proof with which carol@example.com confirms that she wants
// to be on dev, good until then.
func confirmation(until time.Time) string {
	expiry, who := strconv.FormatInt(until.Unix()/3600, 36), "carol=example.com"
	return "s" + expiry + "-" + token.Make(bytes.Repeat([]byte{0x5e}, 32), "confirm", "dev@lists.example.org", "s", expiry, who) + "-" + who
}

// prove puts the proofs that are good today into a recording.
func prove(script *smtptest.Script) {
	stamp := strconv.FormatInt(time.Now().Unix(), 36)
	script.Replace("STAMP-MAC", stamp+"-"+token.Make(bytes.Repeat([]byte{0x5e}, 32), "bounces", "dev@lists.example.org", stamp))
	for i, word := range []string{"TODAY", "TOMORROW"} { // a day may end while the recordings are played
		script.Replace(word, strconv.FormatInt(time.Now().Unix()/86400+int64(i), 10))
	}
	for i, word := range []string{"THIS-HOUR", "NEXT-HOUR"} {
		script.Replace(word, strconv.FormatInt(time.Now().Unix()/3600+int64(i), 10))
	}
	script.Replace("CONFIRM-GOOD", confirmation(time.Now().Add(2*time.Hour))) // cut to the hour, and the hour may turn
	script.Replace("CONFIRM-OLD", confirmation(time.Now().Add(-2*time.Hour)))
}

// A recorder keeps what the server says.
type recorder struct {
	*recording.Conn
	said bytes.Buffer
}

func (r *recorder) Write(p []byte) (int, error) {
	r.said.Write(p)
	return r.Conn.Write(p)
}

// enhanced is an enhanced code with the class of the reply's.
var enhanced = regexp.MustCompile(`^(?:2\d\d[- ]2|4\d\d[- ]4|5\d\d[- ]5)\.\d{1,3}\.\d{1,3} `)

// checkCodes holds that every line of every reply begins with an enhanced code,
// but for the greeting, also that of XCLIENT, the answer to HELO and EHLO, and
// 3xx: RFC 2034, 3 and 4.
func checkCodes(t *testing.T, said string) {
	const host = "lists.example.org"
	hello := false
	for line := range strings.Lines(said) {
		if strings.HasPrefix(line, "220 2.0.0 ready to start TLS") {
			return // what comes now is no longer ours to read
		}
		last := line[3] == ' '
		if !hello && (line == "250-"+host+"\r\n" || line == "250 "+host+"\r\n") {
			hello = true
		}
		if !hello && line[0] != '3' && line != "220 "+host+" ESMTP superlist\r\n" && !enhanced.MatchString(line) {
			t.Errorf("no enhanced code, or a wrong one: %q", line)
		}
		hello = hello && !last
	}
}

// TestSessionsAreMany holds the number of recordings: they are the proof of the
// protocol.
func TestSessionsAreMany(t *testing.T) {
	scripts, err := smtptest.ReadAll("../../testdata/*.session")
	if err != nil {
		t.Fatal(err)
	}
	const want = 150
	if len(scripts) < want {
		t.Errorf("%d recordings, want %d", len(scripts), want)
	}
	titles := make(map[string]string)
	for _, s := range scripts {
		if other := titles[s.Title]; other != "" {
			t.Errorf("%s and %s show the same", s.Name, other)
		}
		titles[s.Title] = s.Name
	}
}
