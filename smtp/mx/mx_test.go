package mx

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"superlist/smtp"
	"superlist/smtp/mx/mxtest"
)

// zones are a signed one, one that nobody signed, and one whose signatures are
// wrong; what a resolver that validates makes of them is tested with one that
// does, and with one that only plays it.
func zones(t *testing.T) (signed, plain, bogus *mxtest.Zone) {
	hash := strings.Repeat("ab", 32)
	signed = mxtest.New(t, "signed.example.", true,
		"signed.example. 60 IN MX 10 mx.signed.example.",
		"signed.example. 60 IN MX 20 MX2.signed.example.",
		"mx.signed.example. 60 IN A 127.0.0.2",
		"mx.signed.example. 60 IN AAAA 2001:db8::2",
		"_25._tcp.mx.signed.example. 60 IN TLSA 3 1 1 "+hash,
		"_25._tcp.mx.signed.example. 60 IN TLSA 2 0 2 "+hash+hash,
		"mx2.signed.example. 60 IN A 127.0.0.3",
		"alias.signed.example. 60 IN CNAME mx.signed.example.",
		"out.signed.example. 60 IN CNAME mx.plain.example.",
		"_25._tcp.out.signed.example. 60 IN TLSA 3 1 1 "+hash,
		"null.signed.example. 60 IN MX 0 .",
		"twonull.signed.example. 60 IN MX 0 .",
		"twonull.signed.example. 60 IN MX 5 mx.signed.example.",
		"self.signed.example. 60 IN A 127.0.0.4",
		"bare.signed.example. 60 IN TXT nothing",
		"loop.signed.example. 60 IN MX 10 lists.example.org.",
		"backup.signed.example. 60 IN MX 10 mx.signed.example.",
		"backup.signed.example. 60 IN MX 20 Lists.Example.org.",
		"backup.signed.example. 60 IN MX 20 same.signed.example.",
		"backup.signed.example. 60 IN MX 30 mx2.signed.example.",
		"odd.signed.example. 60 IN MX 10 -.signed.example.",
	)
	plain = mxtest.New(t, "plain.example.", false,
		"plain.example. 60 IN MX 10 mx.plain.example.",
		"mx.plain.example. 60 IN A 127.0.0.5",
		"_25._tcp.mx.plain.example. 60 IN TLSA 3 1 1 "+hash,
		"mixed.plain.example. 60 IN MX 10 mx.signed.example.",
	)
	bogus = mxtest.New(t, "bogus.example.", true, "bogus.example. 60 IN MX 10 mx.bogus.example.")
	bogus.Forge(t, "bogus.example. 60 IN MX 10 evil.plain.example.")
	return signed, plain, bogus
}

// resolvers are those that the tests ask.
func resolvers(t *testing.T) map[string]*Resolver {
	signed, plain, bogus := zones(t)
	played := mxtest.Serve(t, true, signed, plain, bogus)
	played.Fail("bogus.example. MX")
	r := map[string]*Resolver{"played": {Addr: played.Addr}}
	if addr := unbound(t, mxtest.Serve(t, false, signed, plain, bogus), signed, bogus); addr != "" {
		r["unbound"] = &Resolver{Addr: addr}
	}
	return r
}

// unbound starts the resolver of that name, if it is installed. It knows no zones
// but ours, trusts their keys and validates what they say.
func unbound(t *testing.T, origin *mxtest.Server, trusted ...*mxtest.Zone) string {
	t.Helper()
	binary, err := exec.LookPath("unbound")
	if err != nil {
		if binary = "/usr/sbin/unbound"; !exists(binary) {
			t.Log("unbound is not installed: no resolver that validates")
			return ""
		}
	}
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := pc.LocalAddr().String()
	pc.Close()
	_, port, _ := net.SplitHostPort(addr)
	dir := t.TempDir()
	at := strings.ReplaceAll(origin.Addr, ":", "@")
	var text strings.Builder
	fmt.Fprintf(&text, "server:\n  interface: 127.0.0.1\n  port: %s\n  chroot: \"\"\n  username: \"\"\n  directory: %q\n  pidfile: \"\"\n  use-syslog: no\n  logfile: \"\"\n  do-not-query-localhost: no\n  do-ip6: no\n  module-config: \"validator iterator\"\n  root-hints: \"\"\n  num-threads: 1\n", port, dir)
	for _, z := range trusted {
		fmt.Fprintf(&text, "  trust-anchor: %q\n", strings.ReplaceAll(z.Anchor(), "\t", " "))
	}
	text.WriteString("remote-control:\n  control-enable: no\n")
	for _, name := range []string{"signed.example", "plain.example", "bogus.example"} {
		fmt.Fprintf(&text, "stub-zone:\n  name: %q\n  stub-addr: %s\n", name, at)
	}
	config := filepath.Join(dir, "unbound.conf")
	if err := os.WriteFile(config, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, "-d", "-p", "-c", config)
	var out strings.Builder
	cmd.Stderr = &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	r := &Resolver{Addr: addr, Timeout: 2 * time.Second}
	for by := time.Now().Add(20 * time.Second); time.Now().Before(by); {
		if _, err := r.ask(context.Background(), "plain.example", 2); err == nil {
			return addr
		}
	}
	cmd.Process.Kill()
	cmd.Wait()
	t.Fatalf("unbound does not answer:\n%s", out.String())
	return ""
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

func TestServers(t *testing.T) {
	for name, r := range resolvers(t) {
		t.Run(name, func(t *testing.T) {
			for _, test := range []struct {
				domain, want string // servers in order; those that are secure with !
				reply        smtp.Reply
			}{
				{"signed.example", "!mx.signed.example !mx2.signed.example", smtp.Reply{}},
				{"SIGNED.example.", "!mx.signed.example !mx2.signed.example", smtp.Reply{}},
				{"plain.example", "mx.plain.example", smtp.Reply{}},
				{"mixed.plain.example", "mx.signed.example", smtp.Reply{}},
				{"self.signed.example", "!self.signed.example", smtp.Reply{}},
				{"alias.signed.example", "!mx.signed.example", smtp.Reply{}},
				{"twonull.signed.example", "!mx.signed.example", smtp.Reply{}},
				{"backup.signed.example", "!mx.signed.example", smtp.Reply{}},
				{"null.signed.example", "", ReplyNullMX},
				{"loop.signed.example", "", ReplyLoop},
				{"odd.signed.example", "", ReplyNoServer},
				{"nosuch.signed.example", "", ReplyNoDomain},
				{"nosuch.plain.example", "", ReplyNoDomain},
				{"bogus.example", "", ReplyLookup},
			} {
				servers, err := r.Servers(context.Background(), test.domain, "lists.example.org")
				var names []string
				for _, s := range servers {
					if s.Secure {
						s.Name = "!" + s.Name
					}
					names = append(names, s.Name)
				}
				var reply smtp.Reply
				errors.As(err, &reply)
				if strings.Join(names, " ") != test.want || reply != test.reply {
					t.Errorf("%s: %v, %v", test.domain, names, err)
				}
			}
			if _, err := r.Servers(context.Background(), "self.signed.example", "Self.Signed.Example"); err != error(ReplyLoop) {
				t.Errorf("a domain without MX that is this host: %v", err)
			}
		})
	}
}

// TestServersShuffled: those of one preference take turns: RFC 5321, 5.1.
func TestServersShuffled(t *testing.T) {
	z := mxtest.New(t, "signed.example.", false,
		"signed.example. 60 IN MX 10 a.example.", "signed.example. 60 IN MX 10 b.example.", "signed.example. 60 IN MX 5 c.example.")
	r := &Resolver{Addr: mxtest.Serve(t, true, z).Addr}
	first := make(map[string]int)
	for range 60 {
		servers, err := r.Servers(context.Background(), "signed.example", "x")
		if err != nil || len(servers) != 3 || servers[0].Name != "c.example" {
			t.Fatalf("%v, %v", servers, err)
		}
		first[servers[1].Name]++
	}
	if first["a.example"] == 0 || first["b.example"] == 0 {
		t.Errorf("the second is %v", first)
	}
}

// TestManyServers: an answer that does not fit into a datagram is asked for by
// TCP, and no more than maxServers are of use.
func TestManyServers(t *testing.T) {
	var records []string
	for i := range 200 {
		records = append(records, fmt.Sprintf("many.example. 60 IN MX %d host%d.%s.example.", i, i, strings.Repeat("x", 50)))
	}
	r := &Resolver{Addr: mxtest.Serve(t, true, mxtest.New(t, "many.example.", false, records...)).Addr}
	servers, err := r.Servers(context.Background(), "many.example", "x")
	if err != nil || len(servers) != maxServers || !strings.HasPrefix(servers[9].Name, "host9.") {
		t.Errorf("%d servers, %v", len(servers), err)
	}
}

func TestHost(t *testing.T) {
	for name, r := range resolvers(t) {
		t.Run(name, func(t *testing.T) {
			for _, test := range []struct {
				host, addrs, names, base string
				records                  int
				reply                    smtp.Reply
			}{
				{"mx.signed.example", "2001:db8::2 127.0.0.2", "mx.signed.example", "mx.signed.example", 2, smtp.Reply{}},
				{"mx2.signed.example", "127.0.0.3", "mx2.signed.example", "", 0, smtp.Reply{}},
				{"alias.signed.example", "2001:db8::2 127.0.0.2", "mx.signed.example alias.signed.example", "mx.signed.example", 2, smtp.Reply{}},
				{"mx.plain.example", "127.0.0.5", "", "", 0, smtp.Reply{}},
				{"out.signed.example", "127.0.0.5", "out.signed.example", "out.signed.example", 1, smtp.Reply{}},
				{"bare.signed.example", "", "", "", 0, ReplyNoServer},
				{"nosuch.signed.example", "", "", "", 0, ReplyNoServer},
			} {
				h, err := r.Host(context.Background(), test.host)
				var addrs []string
				for _, a := range h.Addrs {
					addrs = append(addrs, a.String())
				}
				var reply smtp.Reply
				errors.As(err, &reply)
				if strings.Join(addrs, " ") != test.addrs || strings.Join(h.Names, " ") != test.names || reply != test.reply {
					t.Errorf("%s: %v, %v", test.host, h, err)
					continue
				}
				base, records, err := r.TLSA(context.Background(), h, 25)
				if base != test.base || len(records) != test.records || err != nil {
					t.Errorf("%s: TLSA %s %v, %v", test.host, base, records, err)
				}
			}
		})
	}
}

// TestFails: what nobody could find out is not an answer, and passes.
func TestFails(t *testing.T) {
	signed, _, _ := zones(t)
	server := mxtest.Serve(t, true, signed)
	server.Fail("signed.example. MX", "mx2.signed.example. AAAA", "_25._tcp.mx.signed.example. TLSA")
	r := &Resolver{Addr: server.Addr}
	ctx := context.Background()
	if _, err := r.Servers(ctx, "signed.example", "x"); !errors.Is(err, ReplyLookup) || !errors.Is(err, errNoAnswer) {
		t.Errorf("MX: %v", err)
	}
	if _, err := r.Host(ctx, "mx2.signed.example"); !errors.Is(err, ReplyLookup) {
		t.Errorf("AAAA: %v", err)
	}
	h, err := r.Host(ctx, "mx.signed.example")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := r.TLSA(ctx, h, 25); !errors.Is(err, ReplyLookup) {
		t.Errorf("TLSA: %v", err)
	}
	silent, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	r = &Resolver{Addr: silent.LocalAddr().String(), Timeout: 20 * time.Millisecond}
	if _, err := r.Servers(ctx, "signed.example", "x"); !errors.Is(err, ReplyLookup) {
		t.Errorf("nobody answers: %v", err)
	}
}

// TestNoTLSAQuestionInTheOpen: where addresses are not vouched for, nobody is
// asked for TLSA: some servers fail at that (RFC 7672, 2.1.2).
func TestNoTLSAQuestionInTheOpen(t *testing.T) {
	_, plain, _ := zones(t)
	server := mxtest.Serve(t, true, plain)
	r := &Resolver{Addr: server.Addr}
	h, err := r.Host(context.Background(), "mx.plain.example")
	if err != nil {
		t.Fatal(err)
	}
	r.TLSA(context.Background(), h, 25)
	if asked := server.Asked(); slices.ContainsFunc(asked, func(q string) bool { return strings.HasSuffix(q, "TLSA") }) {
		t.Errorf("asked %q", asked)
	}
}

func TestFromFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "resolv.conf")
	for text, want := range map[string]string{
		"nameserver 192.0.2.53\nnameserver 192.0.2.54\n": "192.0.2.53:53",
		"nameserver 2001:db8::53\n":                      "[2001:db8::53]:53",
		"search example.org\n":                           "",
		"nameserver here\n":                              "",
	} {
		os.WriteFile(file, []byte(text), 0o600)
		r, err := FromFile(file)
		if want == "" && err == nil || want != "" && (err != nil || r.Addr != want) {
			t.Errorf("%q: %v, %v", text, r, err)
		}
	}
	if _, err := FromFile(file + ".none"); err == nil {
		t.Error("no file, and no error")
	}
}
