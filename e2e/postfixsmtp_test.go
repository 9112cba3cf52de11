package e2e

import (
	"cmp"
	"os"
	"path/filepath"
	"testing"
)

// overSMTP is lines for main.cf: Postfix's smtp(8) brings the mail for lists, in
// TLS that it verifies, logs in, and names the client.
const overSMTP = `
transport_maps = inline:{ lists.example.org=smtp:[127.0.0.1]:10025 }
smtp_line_length_limit = 0
smtp_send_xforward_command = yes
smtp_tls_security_level = secure
smtp_tls_CAfile = ` + authority + `
smtp_tls_secure_cert_match = lists.example.org
smtp_tls_loglevel = 1
smtp_sasl_auth_enable = yes
smtp_sasl_password_maps = texthash:/etc/postfix/sasl_passwd
smtp_sasl_security_options = noanonymous
smtp_sasl_mechanism_filter = `

// cyrusModule is a file that Postfix needs to log in: the rarest mechanism's.
func cyrusModule() string {
	found, _ := filepath.Glob("/usr/lib/*/sasl2/libscram.so")
	return cmp.Or(append(found, "libsasl2-modules")...)
}

// TestPostfixSMTP is Postfix's smtp(8), by each mechanism that Cyrus SASL and we
// have: XFORWARD, TLS, AUTH, SMTPUTF8 and DSN in one session.
func TestPostfixSMTP(t *testing.T) {
	if !enter(t, append(postfixNeeds, cyrusModule())...) {
		return
	}
	newTLSSite(t, "", "127.0.0.1:10026")
	addAccounts(t)
	must(t, os.WriteFile("/etc/postfix/sasl_passwd", []byte("[127.0.0.1]:10025 "+member+":pencil\n"), 0o600))
	log := startPostfix(t, "main.cf B")
	run(t, "superlist", "check")

	for _, mechanism := range []string{"PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256"} {
		t.Log(mechanism)
		restart(t, mechanism, overSMTP+mechanism+"\n")
		odd := oddPost("by " + mechanism)
		wantPosted(t, "127.0.0.1:25", odd)
		wantDelivered(t, "by "+mechanism, odd)
		log.want(t, `superlist-session\[.* auth client=\S+ .*tls=TLSv1.3/\S+ login=`+member+` mechanism=`+mechanism+`$`)
		if mechanism == "SCRAM-SHA-256" {
			asked(t)
		}
	}
	log.want(t, `postfix/smtp\[.* Verified TLS connection established to 127.0.0.1\[127.0.0.1\]:10025: TLSv1.3`)
	log.want(t, `superlist-session\[.* accepted id=.* client=client.example.com\[192.0.2.7\]:\d+ via=\[127.0.0.1\]:\d+ ident=\w+ helo=client.example.com proto=ESMTP tls=TLSv1.3/\S+ login=`+member+` from=<`+member+`>`)

	t.Log("a wrong password: the mail waits")
	must(t, os.WriteFile("/etc/postfix/sasl_passwd", []byte("[127.0.0.1]:10025 "+member+":crayon\n"), 0o600))
	restart(t, "crayon", overSMTP+"PLAIN\n")
	wantPosted(t, "127.0.0.1:25", oddPost("with a wrong password"))
	log.want(t, `postfix/smtp\[.* to=<`+list+`>.* status=deferred \(SASL authentication failed; server 127.0.0.1\[127.0.0.1\] said: 535 5.7.8 `)
	must(t, os.WriteFile("/etc/postfix/sasl_passwd", []byte("[127.0.0.1]:10025 "+member+":pencil\n"), 0o600))
	restart(t, "pencil", overSMTP+"PLAIN\n")
	run(t, "postqueue", "-f")
	wantSubject(t, "with a wrong password")
	wantOnce(t, "with a wrong password")
	stopPostfix(t)
}
