package signature

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/emersion/go-msgauth/dkim"
)

const message = "Delivered-To: dev@lists.example.org\r\nList-Id: <dev.lists.example.org>\r\nList-Unsubscribe: <https://x.example/a>,\r\n <mailto:x@y>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nFrom: Alice <alice@example.com>\r\nSubject:  hello  you\r\n\r\nHello.  \r\n\r\n\r\n"

func signer(t *testing.T, kind string) *Signer {
	t.Helper()
	text, err := Generate(kind)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := Open("lists.example.org", "s1", file)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSign: a verifier takes what is signed, over the fields that a receiver wants to see
// signed, and not after a change.
func TestSign(t *testing.T) {
	for _, kind := range []string{RSA, Ed25519} {
		s := signer(t, kind)
		record, err := s.Record()
		if err != nil {
			t.Fatal(err)
		}
		for _, raw := range []string{message, "From: a@example.com\r\n\r\n", message + strings.Repeat("A long line of text.\r\n", 100_000)} {
			field, err := s.Sign(strings.NewReader(raw))
			if err != nil {
				t.Fatal(err)
			}
			options := &dkim.VerifyOptions{LookupTXT: func(name string) ([]string, error) {
				if name != s.Name() {
					return nil, fmt.Errorf("asked for %s", name)
				}
				return []string{record}, nil
			}}
			found, err := dkim.VerifyWithOptions(strings.NewReader(field+raw), options)
			if err != nil || len(found) != 1 || found[0].Err != nil {
				t.Fatalf("%s: %v %+v", kind, err, found[0])
			}
			if raw == message {
				for _, name := range []string{"List-Unsubscribe", "List-Unsubscribe-Post", "From", "Subject", "List-Id"} {
					if !slices.Contains(found[0].HeaderKeys, name) {
						t.Errorf("%s is not signed: %s", name, field)
					}
				}
				spoilt := strings.Replace(field+raw, "x.example/a", "x.example/b", 1)
				if found, _ := dkim.VerifyWithOptions(strings.NewReader(spoilt), options); found[0].Err == nil {
					t.Error("another List-Unsubscribe passes")
				}
			}
			if strings.Contains(field, "Reply-To") {
				t.Errorf("a field is signed that is not there: %s", field)
			}
		}
	}
}

// TestFits: what check says about the record.
func TestFits(t *testing.T) {
	s, other := signer(t, Ed25519), signer(t, RSA)
	record, _ := s.Record()
	theirs, _ := other.Record()
	for text, want := range map[string]string{
		"":     "there is no record",
		record: "",
		strings.ReplaceAll(record, "p=", " p = "): "",
		theirs:                   "is not that of key_file",
		record + "|" + record:    "2 records",
		"v=DKIM1; k=ed25519; p=": "withdrawn",
		record + "; t=y":         "t=y",
		strings.Replace(record, "k=ed25519; ", "", 1): "is not that of key_file",
	} {
		var records []string
		if text != "" {
			records = strings.Split(text, "|")
		}
		err := s.Fits(records)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	if err := other.Fits([]string{theirs}); err != nil {
		t.Error(err)
	}
	zone, err := other.ZoneLine()
	if err != nil || strings.Count(zone, `"`) != 4 {
		t.Errorf("%s %v", zone, err)
	}
}

// TestOpen: what is not a key says so.
func TestOpen(t *testing.T) {
	dir := t.TempDir()
	for text, want := range map[string]string{"": "no key in PEM", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n": "asn1"} {
		file := filepath.Join(dir, "key")
		os.WriteFile(file, []byte(text), 0o600)
		if _, err := Open("a.example", "s", file); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := Open("a.example", "s", filepath.Join(dir, "none")); err == nil {
		t.Error("no file, and no error")
	}
}
