package bounce

import "testing"

// throughLists are reports as mail servers write them, without fields: From, Subject and text,
// and the class of bob@example.net.
var throughLists = map[string]struct {
	from, subject, text string
	class               Class
}{
	"exim": {"Mail Delivery System <Mailer-Daemon@mx.example.net>", "Mail delivery failed: returning message to sender",
		"This message was created automatically by mail delivery software.\n\nA message that you sent could not be delivered to one or more of its\nrecipients. This is a permanent error. The following address(es) failed:\n\n  bob@example.net\n    host mx.example.net [192.0.2.1]\n    SMTP error from remote mail server after RCPT TO:<bob@example.net>:\n    550 5.1.1 <bob@example.net>: Recipient address rejected: User unknown\n", Gone},
	"qmail": {"MAILER-DAEMON@mx.example.net", "failure notice",
		"Hi. This is the qmail-send program at mx.example.net.\nI'm afraid I wasn't able to deliver your message to the following addresses.\nThis is a permanent error; I've given up. Sorry it didn't work out.\n\n<bob@example.net>:\nSorry, no mailbox here by that name. (#5.1.1)\n", Gone},
	"yahoo": {"MAILER-DAEMON@yahoo.com", "Failure Notice",
		"Sorry, we were unable to deliver your message to the following address.\n\n<bob@example.net>:\n552: 5.2.2 mailbox full\n", Full},
	"gmail": {"Mail Delivery Subsystem <mailer-daemon@googlemail.com>", "Delivery Status Notification (Failure)",
		"** Address not found **\n\nYour message wasn't delivered to bob@example.net because the address couldn't be found, or is unable to receive mail.\n\nThe response from the remote server was:\n550 5.1.1 The email account that you tried to reach does not exist.\n", Gone},
	"sendmail": {"Mail Delivery Subsystem <MAILER-DAEMON@mx.example.net>", "Returned mail: User unknown",
		"   ----- The following addresses had permanent fatal errors -----\n<bob@example.net>\n\n   ----- Transcript of session follows -----\n... while talking to mx.example.net.:\n>>> RCPT To:<bob@example.net>\n<<< 550 <bob@example.net>... User unknown\n550 <bob@example.net>... User unknown\n", Gone},
	"postfix": {"MAILER-DAEMON@mx.example.net (Mail Delivery System)", "Undelivered Mail Returned to Sender",
		"This is the mail system at host mx.example.net.\n\nI'm sorry to have to inform you that your message could not\nbe delivered to one or more recipients. It's attached below.\n\n<bob@example.net>: host mx.example.net[192.0.2.1] said: 550 5.1.1\n    <bob@example.net>: Recipient address rejected: User unknown (in reply to RCPT TO command)\n", Gone},
	"exchange 2003": {"System Administrator <postmaster@example.net>", "Undeliverable: minutes",
		"Your message\n\n  To:      bob@example.net\n  Subject: minutes\n\ndid not reach the following recipient(s):\n\nbob@example.net on Tue, 1 Dec 2026 10:00:00 +0000\n    The e-mail account does not exist at the organization this message was sent to.\n    <mx.example.net #5.1.1>\n", Gone},
	"groupwise": {"postmaster@example.net", "Mail failure",
		"The attached file had the following undeliverable recipient(s):\n\tbob@example.net\n\nTranscript of session follows:\nCommand: RCPT TO:<bob@example.net>\nResponse: 550 User unknown\n", Gone},
	"domino": {"Postmaster@example.net", "DELIVERY FAILURE: User bob (bob@example.net) not listed in Domino Directory",
		"Your message\n\n  Subject: minutes\n\nwas not delivered to:\n\n  bob@example.net\n\nbecause:\n\n  User bob (bob@example.net) not listed in Domino Directory\n", Gone},
	"imail": {"Postmaster <postmaster@mail.example.net>", "Undeliverable Mail",
		"Unknown user: bob@example.net\n\nOriginal message follows.\n", Gone},
}

// TestListedReports: a report stays one, with the fields that a list's software adds.
// Return-Path is the list's then, or is missing. A list's posts have the fields too, so a
// postmaster's report needs a sign that no person wrote it.
func TestListedReports(t *testing.T) {
	const id, unsubscribe, path = "List-Id: <dev.lists.example.org>\n", "List-Unsubscribe: <mailto:dev-leave@lists.example.org>\n", "Return-Path: <dev-bounces@lists.example.org>\n"
	for name, r := range throughLists {
		mail := "From: " + r.from + "\nTo: dev-owner@lists.example.org\nSubject: " + r.subject + "\n\n" + r.text
		added := []string{"", path, "Auto-Submitted: auto-replied\n", "Auto-Submitted: auto-generated\n" + path,
			"Auto-Submitted: auto-replied\n" + id + unsubscribe, "Auto-Submitted: auto-generated\n" + path + id + unsubscribe, "Return-Path: <>\n" + id + unsubscribe}
		if look := readMessage([]byte(mail)).look(r.text); look.mta {
			added = append(added, id, path+id+unsubscribe)
		}
		for _, fields := range added {
			want := Report{Kind: Failure, Recipients: []Recipient{{Address: "bob@example.net", Action: "failed", Class: r.class}}}
			if got := Parse([]byte(fields + mail)); brief(got, false) != brief(want, false) {
				t.Errorf("%s with %q: %s, want %s", name, fields, brief(got, false), brief(want, false))
			}
		}
	}
}
