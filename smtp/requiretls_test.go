package smtp

import (
	"strings"
	"testing"
)

// TestRequireTLS: REQUIRETLS is announced and taken inside TLS, by a server that
// can keep it, and by no other: RFC 8689, 4.1 and 4.2.
func TestRequireTLS(t *testing.T) {
	inside := TLS{Version: "TLSv1.3", Cipher: "TLS_AES_128_GCM_SHA256"}
	for name, test := range map[string]struct {
		tls    TLS
		onward bool
		param  string
		want   string
	}{
		"inside":           {inside, true, "REQUIRETLS", "250"},
		"inside, any case": {inside, true, "requiretls", "250"},
		"with a value":     {inside, true, "REQUIRETLS=yes", "501"},
		"twice":            {inside, true, "REQUIRETLS REQUIRETLS", "501"},
		"in clear":         {TLS{}, true, "REQUIRETLS", "550"},
		"leads nowhere":    {inside, false, "REQUIRETLS", "550"},
	} {
		backend := new(memory)
		var out strings.Builder
		s := &Session{Hostname: "h", Backend: backend, TLS: test.tls, TLSOnward: test.onward}
		s.Serve(rw{strings.NewReader(ehlo + "MAIL FROM:<a@x> " + test.param + "\r\nRCPT TO:<b@x>\r\nDATA\r\n.\r\n"), &out})
		if got := strings.Fields(codes(out.String()))[2]; got != test.want {
			t.Errorf("%s: %s", name, out.String())
		}
		announced := strings.Contains(out.String(), "REQUIRETLS\r\n")
		if announced != (test.tls.On() && test.onward) {
			t.Errorf("%s: announced: %v", name, announced)
		}
		if test.want == "550" && !strings.Contains(out.String(), "550 5.7.30 ") {
			t.Errorf("%s: %s", name, out.String())
		}
		if test.want == "250" && (len(backend.got) != 1 || !backend.got[0].env.RequireTLS) {
			t.Errorf("%s: %v", name, backend.got)
		}
	}
}
