package site

import (
	"strings"
	"testing"
)

func TestTarget(t *testing.T) {
	for _, test := range []struct {
		address string
		want    Target
		err     string
	}{
		{"127.0.0.1:10026", Target{"tcp", "127.0.0.1:10026", false}, ""},
		{"[::1]:25", Target{"tcp", "[::1]:25", false}, ""},
		{"relay.example.org:587", Target{"tcp", "relay.example.org:587", false}, ""},
		{"unix:/run/relay", Target{"unix", "/run/relay", false}, ""},
		{"lmtp:localhost:24", Target{"tcp", "localhost:24", true}, ""},
		{"lmtp:unix:/run/lmtp", Target{"unix", "/run/lmtp", true}, ""},
		{"maildir:/var/mail", Target{"maildir", "/var/mail", false}, ""},
		{"mx", Target{"mx", "", false}, ""},
		{"lmtp:mx", Target{}, "host:port"},
		{"unix:run/relay", Target{}, "unix: must begin with /"},
		{"maildir:mail", Target{}, "maildir: must begin with /"},
		{"127.0.0.1", Target{}, "host:port"},
		{":25", Target{}, "host:port"},
		{"host:0", Target{}, "host:port"},
		{"host:65536", Target{}, "host:port"},
		{"host:smtp", Target{}, "host:port"},
		{"", Target{}, "host:port"},
	} {
		got, err := Relay{Address: test.address}.Target()
		if test.err != "" {
			if err == nil || !strings.Contains(err.Error(), test.err) {
				t.Errorf("%q: error %v, want %q", test.address, err, test.err)
			}
		} else if err != nil || got != test.want {
			t.Errorf("%q: %+v, %v; want %+v", test.address, got, err, test.want)
		}
	}
}

func TestParseTarget(t *testing.T) {
	for address, want := range map[string]Target{
		"127.0.0.1:10027": {Network: "tcp", Address: "127.0.0.1:10027"},
		"[::1]:10027":     {Network: "tcp", Address: "[::1]:10027"},
		"unix:/run/kick":  {Network: "unix", Address: "/run/kick"},
	} {
		if got, err := ParseTarget(address); err != nil || got != want {
			t.Errorf("%q: %+v, %v", address, got, err)
		}
	}
	for _, address := range []string{"localhost:10027", "127.0.0.1", "unix:run/kick", "10027", "unix:"} {
		if got, err := ParseTarget(address); err == nil {
			t.Errorf("%q is taken as %+v", address, got)
		}
	}
}
