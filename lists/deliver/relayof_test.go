package deliver

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"superlist/lists/outbound"
	"superlist/lists/tlsserver/tlsservertest"
	"superlist/smtp"
	"superlist/smtp/tlsclient"
)

// TestRelay: all of [relay] arrives where mail is sent, and what its files have.
func TestRelay(t *testing.T) {
	dir := t.TempDir()
	password, ca := filepath.Join(dir, "password"), filepath.Join(dir, "ca.crt")
	os.WriteFile(password, []byte("secret\nnot this\n"), 0o600)
	os.WriteFile(ca, tlsservertest.New(t).PEM, 0o600)
	w := newWorld(t, "lmtp:relay.example.org:24", `verp = "self"
batch = 7
connections = 3
source = "192.0.2.1"
tls = "verify"
ca_file = "`+ca+`"
resolver = "192.0.2.53:53"
user = "me"
password_file = "`+password+`"
connect_timeout = "1s"
greeting_timeout = "2s"
command_timeout = "3s"
mail_timeout = "4s"
rcpt_timeout = "5s"
data_timeout = "6s"
block_timeout = "7s"
final_timeout = "8s"
`)
	got, err := Relay(w.site)
	if err != nil || got.Roots == nil {
		t.Fatal(got.Roots, err)
	}
	want := outbound.Relay{
		Hostname: w.site.Hostname, Name: "lmtp:relay.example.org:24", Network: "tcp", Address: "relay.example.org:24", LMTP: true,
		Source: "192.0.2.1", Resolver: "192.0.2.53:53", TLS: tlsclient.Verify, Roots: got.Roots, User: "me", Password: "secret",
		VERP: "self", Batch: 7, Connections: 3, Disk: w.site.Disk,
		Timeouts: outbound.Timeouts{
			Connect: time.Second, Greeting: 2 * time.Second, Command: 3 * time.Second, Mail: 4 * time.Second,
			Rcpt: 5 * time.Second, Data: 6 * time.Second, Block: 7 * time.Second, Final: 8 * time.Second,
		},
	}
	if got != want {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	for file, why := range map[string]string{"": "relay.password_file: open ", "\n": "the first line is empty"} {
		os.Remove(password)
		if file != "" {
			os.WriteFile(password, []byte(file), 0o600)
		}
		if _, err := Relay(w.site); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%q: %v", file, err)
		}
	}
	os.WriteFile(ca, []byte("x"), 0o600)
	if _, err := Relay(w.site); err == nil || !strings.HasPrefix(err.Error(), "relay.ca_file: ") {
		t.Error(err)
	}
}

// TestVERPAddress: what the relay writes with XVERP is what we write for one that has
// none.
func TestVERPAddress(t *testing.T) {
	from := path("dev+bounces-a-b@lists.example.org")
	for to, want := range map[string]string{
		"bob@example.net":       "dev+bounces-a-b+bob=example.net@lists.example.org",
		"jürg@bücher.example":   "dev+bounces-a-b+jürg=xn--bcher-kva.example@lists.example.org",
		"bob@xn--bcher.invalid": "dev+bounces-a-b+bob=xn--bcher.invalid@lists.example.org",
	} {
		if got := smtp.VERPAddress(from, path(to)).Address(); got != want {
			t.Errorf("%s: %s, want %s", to, got, want)
		}
	}
}
