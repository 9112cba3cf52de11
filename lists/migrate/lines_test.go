package migrate

import (
	"slices"
	"strings"
	"testing"

	"superlist/lists/members"
)

// TestEntries: lines as people write and paste them. Everybody in it is a member, or
// nobody is and the line is named.
func TestEntries(t *testing.T) {
	for line, want := range map[string][]string{
		"a@x.example":                                       {"a@x.example"},
		"a@x.example nomail name=A, B; C":                   {"a@x.example nomail name=A, B; C"},
		"A <a@x.example>; B Doe <b@x.example>; c@x.example": {"a@x.example name=A", "b@x.example name=B Doe", "c@x.example"},
		"A <a@x.example>; B <b@x.example>;":                 {"a@x.example name=A", "b@x.example name=B"},
		"Doe, A <a@x.example>; Roe, B <b@x.example>":        {"a@x.example name=Doe, A", "b@x.example name=Roe, B"},
		"Doe, A <a@x.example>":                              {"a@x.example name=Doe, A"},
		"a@x.example, b@x.example,c@x.example":              {"a@x.example", "b@x.example", "c@x.example"},
		`"Doe, A" <a@x.example>, b@x.example`:               {"a@x.example name=Doe, A", "b@x.example"},
		`"A; B" <a@x.example>`:                              {"a@x.example name=A; B"},
		"'A' <a@x.example>":                                 {"a@x.example name=A"},
		"a@x.example <a@x.example>":                         {"a@x.example"},
		"'a@x.example' <A@x.example>":                       {"A@x.example"},
		"<mailto:a@x.example>":                              {"a@x.example"},
		"mailto:a@x.example":                                {"a@x.example"},
		"a@x.example (Doe, A)":                              {"a@x.example name=Doe, A"},
		"A Doe a@x.example":                                 {"a@x.example name=A Doe"},
		"a@x.example\tA Doe":                                {"a@x.example name=A Doe"},
		"A Doe\ta@x.example":                                {"a@x.example name=A Doe"},
		"a@x.example,A Doe":                                 {"a@x.example name=A Doe"},
		"a@x.example;A Doe":                                 {"a@x.example name=A Doe"},
		"a@x.example A Doe":                                 {"a@x.example name=A Doe"},
		"a@x.example newword":                               {"a@x.example newword"},
		"A <a@x.example> digest, <b@x.example> nomail":      {"a@x.example digest name=A", "b@x.example nomail"},
		`"a b"@x.example; #c@x.example`:                     {`"a b"@x.example`, `"#c"@x.example`},
		`O"Neil <a@x.example>, b@x.example`:                 {`a@x.example name=O"Neil`, "b@x.example"},
		"=?utf-8?q?J=C3=BCrgen?= <j@x.example>":             {"j@x.example name=Jürgen"},
		"用户 <用户@例え.テスト>":                                    {"用户@例え.テスト name=用户"},

		"":                                   nil,
		"nobody":                             nil,
		"a@x.example b@x.example":            nil,
		"a@x.example; nobody@; b@x.example":  nil,
		"b@x.example <a@x.example>":          nil,
		"<a@x.example> <b@x.example>":        nil,
		"a@x.example unsubscribed":           nil,
		"a@x.example,Unsubscribed":           nil,
		"a@x.example;A;bounced":              nil,
		"a@x.example,A,B":                    nil,
		"a@x.example,2026-01-01":             nil,
		"a@x.example, b@x.example, A Doe":    nil,
		"Friends: a@x.example, b@x.example;": nil,
		"a@x.example\x00; b@x.example":       nil,
		"A <a@x.example> opted-out":          nil,
	} {
		members, why := Entries(line)
		var got []string
		for _, m := range members {
			got = append(got, m.String())
		}
		if !slices.Equal(got, want) || (why == "") != (want != nil) {
			t.Errorf("%q: %q, %s", line, got, why)
		}
	}
}

// imported are the members that a file brings, and its report.
func imported(t *testing.T, text string, ignore ...string) (who []string, r Report) {
	t.Helper()
	var roll members.Roster
	if err := Members("x", strings.NewReader(text), ignore, &roll, &r, nil); err != nil {
		t.Fatal(err)
	}
	roll.Join(unite)
	for m := range roll.All() {
		who = append(who, m.String())
	}
	return who, r
}

// TestStandings: whoever has left elsewhere does not come in, whichever program says
// it. In each file a@x.example is a member and b@x.example is none.
func TestStandings(t *testing.T) {
	for name, text := range map[string]string{
		"listmonk":      "uuid,email,name,attributes,status,created_at,updated_at\n1,a@x.example,A,{},enabled,2026-01-01,2026-01-01\n2,b@x.example,B,{},blocklisted,2026-01-01,\n3,b@x.example,B,{},disabled,,\n",
		"listmonk list": "email,name,subscription_status\na@x.example,A,confirmed\nb@x.example,B,unconfirmed\nb@x.example,B,unsubscribed\n",
		"Mailchimp":     "Email Address,First Name,Last Name,MEMBER_RATING,OPTIN_TIME,UNSUB_TIME,UNSUB_REASON,LEID\na@x.example,A,,2,,,,1\nb@x.example,B,,2,2020-01-01,2026-01-01 10:00:00,N/A,2\n",
		"Mailchimp 2":   "Email Address,CLEAN_TIME,CLEAN_CAMPAIGN_TITLE\na@x.example,,\nb@x.example,2026-01-01,x\n",
		"phpList":       "id\temail\tconfirmed\tblacklisted\tbouncecount\thtmlemail\tdisabled\n1\ta@x.example\t1\t0\t3\t1\t0\n2\tb@x.example\t0\t0\t0\t1\t0\n3\tb@x.example\t1\t1\t0\t1\t0\n4\tb@x.example\t1\t0\t0\t1\t1\n",
		"Sendy":         "\"Name\",\"Email\",\"Status\"\n\"A\",\"a@x.example\",\"Active\"\n\"B\",\"b@x.example\",\"Marked as spam\"\n\"B\",\"b@x.example\",\"Soft bounced\"\n\"B\",\"b@x.example\",\"Unconfirmed\"\n",
		"CiviCRM":       "Email;Do Not Email;No Bulk Emails (User Opt Out);On Hold\na@x.example;;No;No\nb@x.example;Yes;No;No\nb@x.example;;Yes;\nb@x.example;;;On Hold Bounce\n",
		"Google Groups": "Members for group dev\nEmail address,Nickname,Group status,Email status,Email preference,Posting permissions\na@x.example,A,member,,Each email,allowed\nb@x.example,B,member,bouncing,Each email,allowed\nb@x.example,B,invited,,No email,allowed\nb@x.example,B,banned,,No email,\n",
		"opt-in":        "E-Mail,Opt-In\na@x.example,2026-01-01 10:00\nb@x.example,no\nb@x.example,\n",
		"opted_out":     "email,optedOut\na@x.example,false\nb@x.example,TRUE\n",
		"is_active":     "email|is_active\na@x.example|t\nb@x.example|f\n",
		"Excel":         "sep=;\r\nE-Mail;Status\r\na@x.example;active\r\nb@x.example;pending\r\n",
	} {
		members, r := imported(t, text)
		if len(members) != 1 || !strings.HasPrefix(members[0], "a@x.example") || r.Out == 0 || r.Bad > 0 {
			t.Errorf("%s: %q, %d left out, %d bad, %v", name, members, r.Out, r.Bad, r.Left)
		}
		for _, mark := range []string{"\ufeff", "\xff\xfe"} {
			text := mark + text
			if mark != "\ufeff" {
				text = mark + wide(strings.TrimPrefix(text, mark))
			}
			again, _ := imported(t, text)
			if !slices.Equal(again, members) {
				t.Errorf("%s, with %q: %q", name, mark, again)
			}
		}
	}
}

func wide(s string) string {
	var b strings.Builder
	for _, c := range s {
		b.Write([]byte{byte(c), byte(c >> 8)})
	}
	return b.String()
}

// TestUnclearColumns: what may say that somebody has left and is not understood stops
// the import, until the column is named.
func TestUnclearColumns(t *testing.T) {
	for _, test := range []struct{ text, ignore string }{
		{"email,status\na@x.example,Z1\n", "status"},
		{"email,status\na@x.example,1\n", "Status"},
		{"email,confirmed\na@x.example,perhaps\n", "confirmed"},
		{"email,Etat\na@x.example,Unsubscribed\n", "etat"},
		{"email,Marital Status\na@x.example,single\n", "marital status"},
	} {
		if members, r := imported(t, test.text); r.Bad != 1 || len(members) > 0 {
			t.Errorf("%q: %q, %v", test.text, members, r.Left)
		}
		if members, r := imported(t, test.text, test.ignore); r.Bad > 0 || len(members) != 1 {
			t.Errorf("%q without %s: %q, %v", test.text, test.ignore, members, r.Left)
		}
	}
	var roll members.Roster
	if err := Members("x", strings.NewReader("email\na@x.example\n"), []string{"status"}, &roll, new(Report), nil); err == nil {
		t.Error("a column that is not there is ignored")
	}
}
