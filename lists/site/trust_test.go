package site

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"superlist/lists/config"
	"superlist/smtp"
)

func TestTrusts(t *testing.T) {
	from := func(s string) smtp.Peer { return smtp.Peer{Addr: netip.MustParseAddrPort(s)} }
	usual := testSite(t, "").Trusted
	for _, test := range []struct {
		trusted []string
		peer    smtp.Peer
		want    bool
	}{
		{usual, from("127.0.0.1:25"), true},
		{usual, from("127.255.255.255:25"), true},
		{usual, from("128.0.0.0:25"), false},
		{usual, from("[::1]:25"), true},
		{usual, from("[::2]:25"), false},
		{usual, from("[::ffff:127.0.0.1]:25"), true},
		{usual, smtp.Peer{Name: "unix"}, true},
		{usual, smtp.Peer{Name: "stdin"}, false},
		{usual, smtp.Peer{Name: "unknown"}, false},
		{usual, smtp.Peer{}, false},
		{[]string{"stdin"}, smtp.Peer{Name: "stdin"}, true},
		{[]string{"192.0.2.7"}, from("192.0.2.7:25"), true},
		{[]string{"192.0.2.7"}, from("192.0.2.8:25"), false},
		{[]string{"::ffff:192.0.2.7"}, from("192.0.2.7:25"), true},
		{[]string{"2001:db8::/32"}, from("[2001:db8:ffff::7]:25"), true},
		{[]string{"2001:db8::/32"}, from("[2001:db9::7]:25"), false},
		{[]string{"0.0.0.0/0"}, from("192.0.2.7:25"), true},
		{[]string{"0.0.0.0/0"}, from("[2001:db8::7]:25"), false},
		{[]string{"0.0.0.0/0", "::/0"}, smtp.Peer{Name: "unknown"}, false},
		// The address decides, and no name that comes with it.
		{[]string{"unix"}, smtp.Peer{Name: "unix", Addr: netip.MustParseAddrPort("192.0.2.7:25")}, false},
		{[]string{}, from("127.0.0.1:25"), false},
	} {
		if got := (&Site{Trusted: test.trusted}).Trusts(test.peer); got != test.want {
			t.Errorf("%q trusts %v: %v", test.trusted, test.peer, got)
		}
	}
}

// TestTrustedWrong: a mistake is named, with its line.
func TestTrustedWrong(t *testing.T) {
	for _, line := range []string{
		`trusted = ["localhost"]`, `trusted = ["127.0.0.1/8"]`, `trusted = ["10.0.0.0/33"]`, `trusted = ["fe80::1%eth0"]`,
		`trusted = [""]`, `trusted = ["unknown"]`, `trusted = ["10.0.0.0/8", "all"]`, `vrfy = "yes"`,
	} {
		file := filepath.Join(t.TempDir(), "superlist.toml")
		if err := os.WriteFile(file, fmt.Appendf(nil, "hostname = \"h.example\"\n%s\n", line), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Load(file)
		var config *config.Error
		if !errors.As(err, &config) || config.Line != 2 || config.Key == "" {
			t.Errorf("%s: %v", line, err)
		}
	}
}
