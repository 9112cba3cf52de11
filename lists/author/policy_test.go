package author

import (
	"context"
	"errors"
	"strings"
	"testing"
)

// A zone has text records by name; a name with "!" fails.
type zone map[string][]string

func (z zone) TXT(_ context.Context, name string) ([]string, error) {
	texts := z[strings.TrimSuffix(name, ".")]
	if len(texts) == 1 && texts[0] == "!" {
		return nil, errors.New("SERVFAIL")
	}
	return texts, nil
}

func (z zone) Exists(_ context.Context, name string) (bool, error) {
	_, there := z[strings.TrimSuffix(name, ".")]
	return there, nil
}

func TestPolicyOf(t *testing.T) {
	const reject = "v=DMARC1; p=reject"
	for _, test := range []struct {
		domain string
		zone   zone
		want   string // and "adkim" where it is strict; "?" is an error
	}{
		{"a.example", zone{}, "none"},
		{"a.example", zone{"_dmarc.a.example": {reject}}, "reject"},
		{"A.Example.", zone{"_dmarc.a.example": {reject}}, "reject"},
		{"a.example", zone{"_dmarc.a.example": {"v=DMARC1;p=quarantine;"}}, "quarantine"},
		{"a.example", zone{"_dmarc.a.example": {"V=dmarc1 ;\tP = Reject ; ADKIM=S"}}, "reject adkim"},
		{"a.example", zone{"_dmarc.a.example": {"v=DMARC1; p=none"}}, "none"},
		{"a.example", zone{"_dmarc.a.example": {"v=DMARC1; rua=mailto:x@y"}}, "none"},
		{"a.example", zone{"_dmarc.a.example": {"v=DMARC1; p=block"}}, "none"},
		{"a.example", zone{"_dmarc.a.example": {"v=spf1 -all", reject, "google=x"}}, "reject"},
		{"a.example", zone{"_dmarc.a.example": {reject, reject}}, "none"},
		{"a.example", zone{"_dmarc.a.example": {"p=reject; v=DMARC1"}}, "none"},
		{"a.example", zone{"_dmarc.a.example": {"v=DMARC12; p=reject"}}, "none"},
		{"a.example", zone{"_dmarc.a.example": {"!"}}, "?"},
		{"s.a.example", zone{"_dmarc.a.example": {"!"}}, "?"},
		{"s.a.example", zone{"_dmarc.a.example": {reject}}, "reject"},
		{"s.a.example", zone{"_dmarc.a.example": {"v=DMARC1; p=reject; sp=none"}}, "none"},
		{"s.a.example", zone{"_dmarc.a.example": {"v=DMARC1; p=none; sp=quarantine"}}, "quarantine"},
		{"a.example", zone{"_dmarc.a.example": {"v=DMARC1; p=none; sp=quarantine"}}, "none"},
		{"s.a.example", zone{"_dmarc.s.a.example": {"v=DMARC1; p=none"}, "_dmarc.a.example": {reject}}, "none"},
		{"s.a.example", zone{"_dmarc.s.a.example": {reject, reject}, "_dmarc.a.example": {reject}}, "none"},
		{"s.a.example", zone{"_dmarc.a.example": {"v=DMARC1; p=none; np=reject"}}, "reject"},
		{"s.a.example", zone{"_dmarc.a.example": {"v=DMARC1; p=none; np=reject"}, "s.a.example": {}}, "none"},
		{"s.a.example", zone{"_dmarc.a.example": {"v=DMARC1; p=reject; np=none"}, "s.a.example": {}}, "reject"},
		{"x.s.a.example", zone{"_dmarc.s.a.example": {reject}}, "reject"},
		{"x.s.a.example", zone{"_dmarc.s.a.example": {"v=DMARC1; p=none"}, "_dmarc.a.example": {reject}}, "reject"},
		{"x.s.a.example", zone{"_dmarc.s.a.example": {reject}, "_dmarc.a.example": {"v=DMARC1; p=none"}}, "reject"},
		{"a.co.uk", zone{"_dmarc.co.uk": {reject}}, "none"},
		{"s.a.co.uk", zone{"_dmarc.a.co.uk": {reject}}, "reject"},
		{"bücher.example", zone{"_dmarc.xn--bcher-kva.example": {reject}}, "reject"},
		{"[192.0.2.1]", zone{"_dmarc.[192.0.2.1]": {reject}}, "none"},
		{"com", zone{"_dmarc.com": {reject}}, "reject"},
		{"a.example", zone{"_dmarc.a.example": {"v=DMARC1; p=reject; pct=0"}}, "quarantine"},
		{"a.example", zone{"_dmarc.a.example": {"v=DMARC1; p=quarantine; pct=0"}}, "none"},
		{"a.example", zone{"_dmarc.a.example": {"v=DMARC1; p=quarantine; pct=1"}}, "quarantine"},
		{"a.example", zone{"_dmarc.a.example": {"v=DMARC1; p=quarantine; t=y"}}, "none"},
		{"a.example", zone{"_dmarc.a.example": {"v=DMARC1; p=reject; t=n"}}, "reject"},
	} {
		p, err := PolicyOf(t.Context(), test.zone, test.domain)
		got := p.Wants
		if p.StrictDKIM {
			got += " adkim"
		}
		if err != nil {
			got = "?"
		}
		if got != test.want {
			t.Errorf("%s, %v: %s, want %s", test.domain, test.zone, got, test.want)
		}
	}
}

// FuzzPolicy: a record says one of three things, whatever stands in it, and a text that
// is none says nothing.
func FuzzPolicy(f *testing.F) {
	f.Add("v=DMARC1; p=reject; sp=none; np=quarantine; adkim=s; pct=10", "v=spf1 -all")
	f.Fuzz(func(t *testing.T, one, two string) {
		p, err := PolicyOf(t.Context(), zone{"_dmarc.a.example": {one, two}}, "s.a.example")
		if err != nil && one != "!" || err == nil && p.Severity() < 0 {
			t.Errorf("%q: %v %v", one, p, err)
		}
		if !strings.Contains(strings.ToLower(one+two), "dmarc1") && p.Enforced() {
			t.Errorf("%q %q: %v", one, two, p)
		}
	})
}
