package e2e

import (
	"bytes"
	"crypto"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"

	"superlist/lists/author"
	"superlist/lists/copies"
	"superlist/lists/signature"
	"superlist/smtp/mx/mxtest"
)

// startVerifiers starts what checks mail for a receiver: opendkim and OpenDMARC, and
// rspamd, and says what a Postfix calls them.
func startVerifiers(t *testing.T, opendmarc string) map[string]string {
	t.Helper()
	must(t, os.WriteFile("/etc/opendkim.verify", []byte("Nameservers 127.0.0.1\nResolverConfiguration /etc/opendkim.unbound\nMode v\nAuthservID mx.example.org\nSocket inet:8892@127.0.0.1\n"), 0o644))
	must(t, os.WriteFile("/etc/opendmarc.verify", []byte("AuthservID mx.example.org\nTrustedAuthservIDs mx.example.org\nSocket inet:8893@127.0.0.1\nRejectFailures true\nSPFIgnoreResults true\nSPFSelfValidate true\nPublicSuffixList /etc/domains\nIgnoreHosts /etc/opendmarc.ignore\n"), 0o644))
	must(t, os.WriteFile("/etc/domains", []byte("com\norg\nexample\n"), 0o644)) // the list of all takes rspamd a minute
	must(t, os.WriteFile("/etc/opendkim.unbound", []byte("server:\n  module-config: \"iterator\"\n  do-not-query-localhost: no\nforward-zone:\n  name: \".\"\n  forward-addr: 127.0.0.1\n"), 0o644))
	must(t, os.WriteFile("/etc/opendmarc.ignore", []byte("203.0.113.1\n"), 0o644))
	must(t, os.WriteFile("/etc/rspamd.verify", []byte(rspamdVerifies), 0o644))
	startFilter(t, "127.0.0.1:8892", "opendkim", "-f", "-x", "/etc/opendkim.verify")
	c := command(opendmarc, "/usr/sbin/opendmarc")
	for _, v := range c.Env { // its libraries
		name, value, _ := strings.Cut(v, "=")
		if name == "LD_LIBRARY_PATH" {
			startFilter(t, "127.0.0.1:8893", "env", "LD_LIBRARY_PATH="+value, c.Path, "-f", "-c", "/etc/opendmarc.verify")
		}
	}
	startFilter(t, "127.0.0.1:11332", "rspamd", "-f", "-u", "_rspamd", "-g", "_rspamd", "-c", "/etc/rspamd.verify")
	return map[string]string{
		"opendmarc": "smtpd_milters=inet:127.0.0.1:8892 inet:127.0.0.1:8893",
		"rspamd":    "smtpd_milters=inet:127.0.0.1:11332",
	}
}

// rspamdVerifies is rspamd with its modules for SPF, DKIM and DMARC alone, which refuses
// what a domain wants refused or put aside.
const rspamdVerifies = `
options {
  filters = "dkim,spf";
  disable_hyperscan = true;
  url_tld = "/etc/domains";
  local_addrs = ["203.0.113.0/24"];
  dns { nameserver = ["127.0.0.1:53:1"]; timeout = 1s; retransmits = 1; }
}
logging { type = "console"; level = "info"; }
actions { reject = 15; add_header = 6; }
modules { path = "/usr/share/rspamd/plugins/dmarc.lua"; path = "/usr/share/rspamd/plugins/spf.lua"; }
spf { }
dkim { }
dmarc { actions { quarantine = "reject"; reject = "reject"; } }
worker "rspamd_proxy" {
  bind_socket = "127.0.0.1:11332";
  milter = yes;
  count = 1;
  upstream "local" { default = yes; self_scan = yes; }
}
`

// signedBy is a message with a signature of a domain over fields.
func signedBy(t *testing.T, key crypto.Signer, domain, raw string, fields ...string) string {
	t.Helper()
	var b bytes.Buffer
	must(t, dkim.Sign(&b, strings.NewReader(raw), &dkim.SignOptions{
		Domain: domain, Selector: "s", Signer: key, HeaderKeys: fields,
		HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed,
	}))
	return b.String()
}

// TestDMARC: members' hosts that check DMARC, with OpenDMARC or with rspamd, take each
// post of a list with dmarc = "auto", whoever wrote it, and whatever the list changes. It
// changes From only where they would not have taken the post: with "none" they refuse
// exactly those.
func TestDMARC(t *testing.T) {
	dirs := unpacked(t, "opendmarc")
	if !enter(t, append(postfixNeeds, "opendkim", "rspamd")...) {
		return
	}
	text, err := signature.Generate(signature.RSA)
	must(t, err)
	must(t, os.WriteFile("/etc/test.pem", text, 0o600))
	key := privateKey(t, text)
	var zones []*mxtest.Zone
	policies := map[string]string{
		"reject.example": "p=reject", "quarantine.example": "p=quarantine", "none.example": "p=none", "strict.example": "p=reject; adkim=s; aspf=s", "nothing.example": "",
		"stranger.example": "", "example.org": "p=reject",
	}
	for domain, policy := range policies {
		var records []string
		for _, name := range []string{domain, "mail." + domain} {
			signer, err := signature.Open(name, "s", "/etc/test.pem")
			must(t, err)
			line, err := signer.ZoneLine()
			must(t, err)
			records = append(records, strings.Replace(line, "s._domainkey."+name+".", "s._domainkey."+name+". 3600", 1))
		}
		if policy != "" {
			records = append(records, fmt.Sprintf("_dmarc.%s. 3600 IN TXT \"v=DMARC1; %s\"", domain, strings.ReplaceAll(policy, ";", "\\;")))
		}
		switch domain {
		case "example.org":
			records = append(records, `lists.example.org. 3600 IN TXT "v=spf1 ip4:`+outsider+` -all"`)
		default:
			records = append(records, domain+`. 3600 IN TXT "v=spf1 ip4:203.0.113.9 -all"`)
		}
		zones = append(zones, mxtest.New(t, domain+".", true, records...))
	}
	mxtest.ServeAt(t, "127.0.0.1:53", true, zones...)
	must(t, os.WriteFile("/etc/resolv.conf", []byte("nameserver 127.0.0.1\n"), 0o644))
	newSite(t, "kick = \"\"\nlog = \"syslog\"\n", "127.0.0.1:10026")
	startPostfix(t, "main.cf C")
	doors := make(map[string]*client)
	for name, milters := range startVerifiers(t, dirs[0]) {
		doors[name] = dial(t, frontDoor(t, milters)).hello()
	}

	signatures := map[string]func(raw, domain string) string{
		"unsigned": func(raw, _ string) string { return raw },
		"signed":   func(raw, d string) string { return signedBy(t, key, d, raw, "From", "To", "Subject", "Date") },
		"signed by mail.": func(raw, d string) string {
			return signedBy(t, key, "mail."+d, raw, "From", "To", "Date")
		},
		"oversigned": func(raw, d string) string {
			return signedBy(t, key, d, raw, "From", "From", "Date", "Reply-To", "List-Id")
		},
		"signed by a stranger": func(raw, _ string) string { return signedBy(t, key, "stranger.example", raw, "From", "Date") },
		"signed and changed": func(raw, d string) string {
			return strings.Replace(signedBy(t, key, d, raw, "From", "Date"), "Hello", "Hallo", 1)
		},
	}
	n, needed := 0, 0
	for _, change := range []string{"", "footer = \"The list\"\nsubject_prefix = \"[dev]\"\n", "reply_to = \"list\"\n"} {
		auto, none := listWith(t, change), listWith(t, change+"dmarc = \"none\"\n")
		for _, domain := range []string{"reject.example", "quarantine.example", "none.example", "strict.example", "nothing.example"} {
			for how, sign := range signatures {
				raw := sign(fmt.Sprintf("From: Alice <alice@%s>\r\nTo: dev@lists.example.org\r\nSubject: hello\r\nDate: %s\r\nMessage-ID: <%d@%s>\r\n\r\nHello.\r\n", domain, time.Now().UTC().Format(time.RFC1123Z), n, domain), domain)
				made, withAuto := madeOf(t, auto, raw, author.DNS("127.0.0.1:53"))
				_, withNone := madeOf(t, none, raw, author.DNS("127.0.0.1:53"))
				n++
				for name, door := range doors {
					what := fmt.Sprintf("%s: %s of %s with %q", name, how, domain, strings.TrimSpace(change))
					if reply := door.post("dev+bounces@lists.example.org", neighbour, withAuto); !strings.HasPrefix(reply, "250") {
						t.Errorf("%s (%s): %s\n%s", what, made.From, reply, withAuto)
					}
					if withNone == withAuto {
						continue // and so it is taken
					}
					if name == "opendmarc" && (domain == "quarantine.example" || domain == "strict.example" && how == "signed by mail.") {
						continue // it takes such mail, and marks it; and looks at no adkim=s
					}
					reply := door.post("dev+bounces@lists.example.org", neighbour, withNone)
					if strings.HasPrefix(reply, "250") || made.From.Done != copies.Munged {
						t.Errorf("%s (%s), with none: %s\n%s", what, made.From, reply, withNone)
					}
					needed++
				}
			}
		}
	}
	t.Logf("%d posts; %d times a receiver would have refused one", n, needed)
	if needed < n/2 {
		t.Error("hardly any was refused")
	}
	for _, door := range doors {
		door.quit()
	}
	stopPostfix(t)
}
