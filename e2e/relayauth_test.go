package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// submission is a door of Postfix's for those who log in, inside TLS, and for
// nobody else.
const submission = `
127.0.0.1:10587 inet n - n - - smtpd
    -o smtpd_tls_security_level=encrypt
    -o smtpd_tls_cert_file=/etc/superlist/tls.crt
    -o smtpd_tls_key_file=/etc/superlist/tls.key
    -o smtpd_tls_received_header=yes
    -o smtpd_sasl_auth_enable=yes
    -o smtpd_tls_auth_only=yes
    -o smtpd_sasl_type=dovecot
    -o smtpd_sasl_path=inet:127.0.0.1:10143
    -o smtpd_sasl_security_options=noanonymous
    -o smtpd_sasl_authenticated_header=yes
    -o { smtpd_recipient_restrictions = permit_sasl_authenticated, reject }
    -o { smtpd_relay_restrictions = permit_sasl_authenticated, reject }
    -o smtpd_proxy_filter=
    -o content_filter=
`

// TestRelayAuth is a relay to which superlist deliver proves who it is, once the
// relay has: Postfix's smtpd, with Dovecot's accounts.
func TestRelayAuth(t *testing.T) {
	if !enter(t, append([]string{"dovecot", "socat"}, postfixNeeds...)...) {
		return
	}
	settings := func(host, user, password string) {
		t.Helper()
		must(t, os.WriteFile("/etc/superlist/relay.password", []byte(password+"\n"), 0o600))
		run(t, "chown", "superlist:", "/etc/superlist/relay.password")
		writeConfig(t, fmt.Sprintf(config, postfixSettings, host+":10587")+
			fmt.Sprintf("tls = \"verify\"\nca_file = %q\nuser = %q\npassword_file = \"/etc/superlist/relay.password\"\n", authority, user))
	}
	newSite(t, postfixSettings, "127.0.0.1:10587")
	certificates(t, "")
	must(t, os.WriteFile("/etc/hosts", []byte("127.0.0.1 localhost mx.example.org lists.example.org other.example.org\n"+outsider+" client.example.com\n"), 0o644))
	settings("lists.example.org", "alice@example.com", "pencil")
	log := startPostfix(t, "main.cf A")
	dovecot := startDovecot(t)
	launcher(t, "socat", "TCP-LISTEN:10143,bind=127.0.0.1,fork,reuseaddr", "UNIX-CONNECT:"+dovecot)
	master, err := os.OpenFile("/etc/postfix/master.cf", os.O_APPEND|os.O_WRONLY, 0)
	must(t, err)
	_, err = master.WriteString(submission)
	must(t, err)
	must(t, master.Close())
	reconfigure(t, "")
	wait(t, "the door to open", func() bool { return listening("127.0.0.1:10587") && listening("127.0.0.1:10143") })

	t.Log("the right name, the right password")
	if out, err := exec.Command("superlist", "check").CombinedOutput(); err != nil {
		t.Errorf("check: %v\n%s", err, out)
	}
	wantPosted(t, "127.0.0.1:25", oddPost("by AUTH"))
	wantSubject(t, "by AUTH")
	log.want(t, `smtpd\[.*client=\S+, sasl_method=SCRAM-SHA-256, sasl_username=alice@example.com`)
	message := about(inbox(t, member), "by AUTH")[0]
	for _, want := range []string{"(using TLSv1.3 with cipher ", "(Authenticated sender: alice@example.com)", "with ESMTPSA id "} {
		if !strings.Contains(message, want) {
			t.Errorf("no %q in\n%s", want, message)
		}
	}

	t.Log("a wrong password, and a server of another name: the post waits")
	for _, test := range []struct{ subject, host, password, why string }{
		{"wrong password", "lists.example.org", "crayon", `superlist\[.*535`},
		{"wrong server", "other.example.org", "pencil", `superlist\[.*certificate`},
	} {
		settings(test.host, "alice@example.com", test.password)
		wantPosted(t, "127.0.0.1:25", oddPost(test.subject))
		log.want(t, test.why)
		for _, address := range members {
			if len(about(inbox(t, address), test.subject)) > 0 {
				t.Errorf("%s has %q", address, test.subject)
			}
		}
		settings("lists.example.org", "alice@example.com", "pencil")
		wait(t, test.subject+" to arrive", func() bool {
			cron(t)
			return len(about(inbox(t, members[len(members)-1]), test.subject)) > 0
		})
		wantSubject(t, test.subject)
	}
	wantOnce(t, "by AUTH", "wrong password", "wrong server")
	stopPostfix(t)
}
