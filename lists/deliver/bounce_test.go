package deliver

import (
	"strings"
	"testing"
)

// TestReported: what a delivery report says of its first recipient.
func TestReported(t *testing.T) {
	for _, test := range []struct{ report, status, reason string }{
		{"Subject: Undelivered\r\nContent-Type: multipart/report; boundary=b\r\n\r\n--b\r\n\r\nSorry.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx\r\n\r\n" +
			"Final-Recipient: rfc822; a@example.com\r\nAction: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 <a@example.com>:\r\n    no such user\r\n\r\nStatus: 4.0.0\r\n--b--\r\n",
			"5.1.1", "smtp; 550 5.1.1 <a@example.com>: no such user"},
		{"Subject: failure\r\n\r\nDIAGNOSTIC-CODE: smtp; 452 full\r\nstatus:  4.2.2 (mailbox full)\r\n", "4.2.2", "smtp; 452 full"},
		{"Subject: failure notice\r\n\r\nHi. This is the qmail-send program.\r\n", "", "failure notice"},
		{"Subject: =?utf-8?q?Unzustellbar:_M=C3=BCll?=\r\n\r\n", "", "Unzustellbar: Müll"},
		{"", "", "-"},
		{"Subject: x\r\n\r\nDiagnostic-Code: " + strings.Repeat("y", 2*maxSaid) + "\r\n", "", strings.Repeat("y", maxSaid)},
		{"Subject: x\r\n\r\n" + strings.Repeat("z\r\n", maxReported) + "Status: 5.0.0\r\n", "", "x"},
	} {
		if status, reason := reported(strings.NewReader(test.report)); status != test.status || reason != test.reason {
			t.Errorf("%.60q: %q, %q; want %q, %q", test.report, status, reason, test.status, test.reason)
		}
	}
}
