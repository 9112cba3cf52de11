package rewrite

import (
	"net/mail"
	"slices"
	"strings"
	"testing"

	"superlist/smtp"
)

func addresses(value string) ([]string, bool) {
	list, ok := Addresses(value)
	var out []string
	for _, p := range list {
		out = append(out, p.Address())
	}
	return out, ok
}

func TestAddresses(t *testing.T) {
	for _, tt := range []struct {
		value string
		want  string // parted by spaces; empty: cannot be read
	}{
		{"alice@example.com", "alice@example.com"},
		{"<alice@example.com>", "alice@example.com"},
		{"Alice <alice@example.com>", "alice@example.com"},
		{"Alice A. Doe <alice@example.com>", "alice@example.com"},
		{`"Doe, Alice" <alice@example.com>`, "alice@example.com"},
		{`"a \" <x@y>, (" <alice@example.com>`, "alice@example.com"},
		{"=?utf-8?q?Al=C3=ADce?= <alice@example.com>", "alice@example.com"},
		{"Alíce <alice@example.com>", "alice@example.com"},
		{"alice@example.com (Alice, (really) <x@y>)", "alice@example.com"},
		{"(x) alice@example.com", "alice@example.com"},
		{"alice@example.com, Bob <bob@example.net>", "alice@example.com bob@example.net"},
		{"alice@example.com,, bob@example.net,", "alice@example.com bob@example.net"},
		{"Team: alice@example.com, Bob <bob@example.net>;", "alice@example.com bob@example.net"},
		{"Team: alice@example.com;, carol@example.org", "alice@example.com carol@example.org"},
		{`"a b"@example.com`, `"a b"@example.com`},
		{`<"a>b"@example.com>`, `"a>b"@example.com`},
		{"<@relay.example:alice@example.com>", "alice@example.com"},
		{"alice@example.com <Alice@example.com>", "Alice@example.com"},
		{`"mallory@example.com" <alice@example.com>`, "alice@example.com"},
		{"", ""},
		{"alice@example.com <mallory@example.com>", ""},
		{"undisclosed:;", ""},
		{"Alice", ""},
		{"Alice alice@example.com", ""},
		{"alice@example.com bob@example.net", ""},
		{"alice@example.com, nobody", ""},
		{"<alice@example.com", ""},
		{"<alice@example.com> <bob@example.net>", ""},
		{`"open <alice@example.com>`, ""},
		{"(open alice@example.com", ""},
		{"Team: alice@example.com", ""},
		{"A: B: alice@example.com;;", ""},
		{"<postmaster>", ""},
		{"<>", ""},
		{"alíce@example.com", "alíce@example.com"},
		{"al\xedce@example.com", ""},
		{"al\u202eice@example.com", ""},
	} {
		got, ok := addresses(tt.value)
		if ok != (tt.want != "") || ok && !slices.Equal(got, splitAddresses(tt.want)) {
			t.Errorf("%q: %q, %t, want %q", tt.value, got, ok, tt.want)
		}
	}
}

func splitAddresses(s string) []string {
	if strings.HasPrefix(s, `"`) {
		return []string{s}
	}
	return strings.Fields(s)
}

// TestMailboxes: what RFC 5322 has for examples, what it calls obsolete and demands
// to be read, and what people's programs write.
func TestMailboxes(t *testing.T) {
	for _, tt := range []struct {
		value string
		want  string // name|address, in lines
	}{
		// RFC 5322, appendix A.1 to A.1.3
		{"John Doe <jdoe@machine.example>", "John Doe|jdoe@machine.example"},
		{`"Joe Q. Public" <john.q.public@example.com>`, "Joe Q. Public|john.q.public@example.com"},
		{"Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>", "Mary Smith|mary@x.test\n|jdoe@example.org\nWho?|one@y.test"},
		{`<boss@nil.test>, "Giant; \"Big\" Box" <sysservices@example.net>`, "|boss@nil.test\nGiant; \"Big\" Box|sysservices@example.net"},
		{"A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;", "Ed Jones|c@a.test\n|joe@where.test\nJohn|jdoe@one.test"},
		// A.5
		{`Pete(A nice \) chap) <pete(his account)@silly.test(his host)>`, "Pete|pete@silly.test"},
		{"A Group(Some people)\r\n     :Chris Jones <c@(Chris's host.)public.example>,\r\n         joe@example.org,\r\n  John <jdoe@one.test> (my dear friend); (the end of the group)",
			"Chris Jones|c@public.example\n|joe@example.org\nJohn|jdoe@one.test"},
		// A.6.1, A.6.3
		{"Joe Q. Public <john.q.public@example.com>", "Joe Q. Public|john.q.public@example.com"},
		{"Mary Smith <@node.test:mary@example.net>, , jdoe@test  . example", "Mary Smith|mary@example.net\n|jdoe@test.example"},
		{"John Doe <jdoe@machine(comment).  example>", "John Doe|jdoe@machine.example"},
		{"Mary Smith\r\n   \r\n          <mary@example.net>", "Mary Smith|mary@example.net"},
		// 3.2.2, 3.4.1, 4.4
		{"Alice <alice@author.example (work)>", "Alice|alice@author.example"},
		{"Alice < (at) alice@author.example>", "Alice|alice@author.example"},
		{"Alice <\r\n alice@author.example >", "Alice|alice@author.example"},
		{"alice . author @ author . example", "|alice.author@author.example"},
		{"alice (a) . (b (c)) author (d) @ (e) author (f) . (g) example (h)", "h|alice.author@author.example"},
		{"Alice <@a.example, @b.example:alice@author.example>", "Alice|alice@author.example"},
		{"Alice < @ a.example (x) , , @b . example : alice@author.example >", "Alice|alice@author.example"},
		{`Alice <"alice author" @ author.example>`, `Alice|"alice author"@author.example`},
		{`"alice" . "au.thor" @author.example`, "|alice.au.thor@author.example"},
		{"alice@[192.0.2.1]", "|alice@[192.0.2.1]"},
		{"Alice <alice@[ IPv6:2001:db8::1 ]>", "Alice|alice@[IPv6:2001:db8::1]"},
		{"\"\" <alice@example.com>", "|alice@example.com"},
		{"Team:;, alice@example.com", "|alice@example.com"},
		// RFC 6532
		{"Jürgen Müller <jürgen@bücher.example>", "Jürgen Müller|jürgen@bücher.example"},
		{"用户 . 名 @例え.テスト (名)", "名|用户.名@例え.テスト"},
		{"J\xfcrgen <juergen@example.com>", "J\xfcrgen|juergen@example.com"},
		// What programs write
		{"Doe, John <john@example.com>", "Doe, John|john@example.com"},
		{"Doe,John A. <john@example.com>", "Doe,John A.|john@example.com"},
		{"Doe, John, Dr., [IT] <john@example.com>,", "Doe, John, Dr., [IT]|john@example.com"},
		{"Doe, John <john@example.com>, Roe, Jane <jane@example.net>", "Doe, John|john@example.com\nRoe, Jane|jane@example.net"},
		{"Team: Doe, John <john@example.com>, jane@example.net;", "Doe, John|john@example.com\n|jane@example.net"},
		{"'Doe, John' <john@example.com>", "'Doe, John'|john@example.com"},
		{"'john@example.com' <john@example.com>", "'john@example.com'|john@example.com"},
		{"john@example.com <john@example.com>", "john@example.com|john@example.com"},
		{"Alice [IT] (x) <alice@example.com>", "Alice [IT]|alice@example.com"},
		{"Dr. A. Liddell <alice@example.com>", "Dr. A. Liddell|alice@example.com"},
		{"Alice ] ) \\ [ <alice@example.com>", "Alice ] ) \\ [|alice@example.com"},
		{"alice@example.com;", "|alice@example.com"},
		{"alice@example.com; Bob <bob@example.net> ;", "|alice@example.com\nBob|bob@example.net"},
		{",, alice@example.com ,", "|alice@example.com"},
		{"<<alice@example.com>>", "|alice@example.com"},
		{"Alice < <alice@example.com> >", "Alice|alice@example.com"},
		{"mailto:alice@example.com", "|alice@example.com"},
		{"Alice <mailto:alice@example.com>", "Alice|alice@example.com"},
		{"Alice <SMTP:alice@example.com>", "Alice|alice@example.com"},
		{"alice@example.com (Alice)", "Alice|alice@example.com"},
		{`alice@example.com ("Alice" (IT\)))`, `"Alice" (IT))|alice@example.com`},
		{"<alice@example.com> Alice", "Alice|alice@example.com"},
		{`"Doe, John"<john@example.com>`, "Doe, John|john@example.com"},
		{`"John" "Q." Doe <john@example.com>`, "John Q. Doe|john@example.com"},
		{"=?utf-8?Q?Doe,_J._(IT)?= <john@example.com>", "=?utf-8?Q?Doe,_J._(IT)?=|john@example.com"},
		{"=?utf-8?Q?Doe,_J.?= <john@example.com>", "=?utf-8?Q?Doe,_J.?=|john@example.com"},
		{"=?iso-8859-1?Q?=C5?=\r\n =?iso-8859-1?Q?sa?= <asa@example.com>", "=?iso-8859-1?Q?=C5?= =?iso-8859-1?Q?sa?=|asa@example.com"},
		{"IMCEAEX-_O=ORG_OU=1+20@example.com <IMCEAEX-_O=ORG_OU=1+20@example.com>", "IMCEAEX-_O=ORG_OU=1+20@example.com|IMCEAEX-_O=ORG_OU=1+20@example.com"},
		{`"/O=ORG/OU=EXCHANGE/CN=RECIPIENTS/CN=ALICE" <alice@example.com>`, "/O=ORG/OU=EXCHANGE/CN=RECIPIENTS/CN=ALICE|alice@example.com"},
	} {
		list, err := Mailboxes(tt.value)
		var got []string
		for _, m := range list {
			got = append(got, m.Name+"|"+m.Address())
		}
		if err != nil && tt.want != "" || err == nil && strings.Join(got, "\n") != tt.want {
			t.Errorf("%q: %q, %v, want %q", tt.value, got, err, tt.want)
		}
	}
}

// TestMailboxesRefused: what cannot be read says why, and what can be read beside it
// is there.
func TestMailboxesRefused(t *testing.T) {
	for _, tt := range []struct {
		value string
		want  error
		read  string // addresses, parted by spaces
	}{
		{"", ErrNobody, ""},
		{" (nobody) ,", ErrNobody, ""},
		{"undisclosed-recipients:;", ErrNobody, ""},
		{"Alice", errAddress, ""},
		{"alice at example.com", errAddress, ""},
		{"Alice alice@example.com", errAddress, ""},
		{"alice@example.com bob@example.net", errAddress, ""},
		{"ali ce@example.com", errAddress, ""},
		{"ali(x)ce@example.com", errAddress, ""},
		{"alice@exam ple.com", errAddress, ""},
		{"<ali ce@example.com>", errInAngle, ""},
		{`<ali\ ce@example.com>`, errInAngle, ""},
		{"nobody, bob@example.net", errAddress, "bob@example.net"},
		{"alice@example.com, nobody, <bob@example.net", errAngle, "alice@example.com"},
		{"alice@example.com, Alice bob, carol@example.org, x <dave@example.org>", errAddress, "alice@example.com carol@example.org dave@example.org"},
		{"<alice@example.com> <alice@example.com>", errTwo, "alice@example.com"},
		{"<<alice@example.com>", errAngle, "alice@example.com"},
		{"alice@example.com>", errStray, "alice@example.com"},
		{"<>", errInAngle, ""},
		{"Alice <>", errInAngle, ""},
		{"<alice>", errInAngle, ""},
		{"<alice@example.com, bob@example.net>", errInAngle, ""},
		{`Alice "x <alice@example.com>`, errQuote, ""},
		{"Alice (x <alice@example.com>", errComment, ""},
		{"Team: alice@example.com", errGroup, "alice@example.com"},
		{": alice@example.com;", errGroup, "alice@example.com"},
		{"A: B: alice@example.com;;", errGroup, "alice@example.com"},
		{"Re: Alice <alice@example.com>", errGroup, "alice@example.com"},
		{"alice@example.com: bob@example.net;", errGroup, "bob@example.net"},
		{"alice@example.com <mallory@example.com>", ErrDeceives, "mallory@example.com"},
		{"alice @ example.com <mallory@example.com>", ErrDeceives, "mallory@example.com"},
		{"<" + strings.Repeat("a", smtp.MaxPath) + "@example.com>", errInAngle, ""},
		{strings.Repeat("a.", 5000) + "@example.com", errAddress, ""},
	} {
		list, err := Mailboxes(tt.value)
		var got []string
		for _, m := range list {
			got = append(got, m.Address())
		}
		if err != tt.want || strings.Join(got, " ") != tt.read {
			t.Errorf("%.80q: %q, %v, want %q, %v", tt.value, got, err, tt.read, tt.want)
		}
	}
}

// TestAuthors: a name that shows another address deceives, however it is written.
func TestAuthors(t *testing.T) {
	for value, want := range map[string]error{
		"Alice <alice@example.com>":                                                       nil,
		`"alice@example.com" <alice@example.com>`:                                         nil,
		`"ALICE@Example.com" <alice@example.com>`:                                         nil,
		`"Alice (alice@example.com)" <alice@example.com>`:                                 nil,
		`"Alice @ Work, Inc." <alice@example.com>`:                                        nil,
		`"Alice@home" <alice@example.com>`:                                                nil,
		"Alice @ Work <alice@example.com>":                                                nil,
		"Sales@Acme <alice@example.com>":                                                  nil,
		`"@alice" <alice@example.com>`:                                                    nil,
		`"jürg@bücher.example" <jürg@xn--bcher-kva.example>`:                              nil,
		"=?utf-8?q?=C3=85sa?= <asa@example.com>":                                          nil,
		"=?x-unknown?q?=C3=85sa?= <asa@example.com>":                                      nil,
		`"boss@example.com" <mallory@example.net>`:                                        ErrDeceives,
		"boss@example.com <mallory@example.net>":                                          ErrDeceives,
		"The boss boss@example.com <mallory@example.net>":                                 ErrDeceives,
		`"The boss (boss@example.com)" <mallory@example.net>`:                             ErrDeceives,
		`"'boss@example.com'" <mallory@example.net>`:                                      ErrDeceives,
		`"boss@example.com." <mallory@example.net>`:                                       ErrDeceives,
		`"mallory@example.net boss@example.com" <mallory@example.net>`:                    ErrDeceives,
		`"boss@example.com via Team" <mallory@example.net>`:                               ErrDeceives,
		`"mailto:boss@example.com" <mallory@example.net>`:                                 ErrDeceives,
		`"b\oss\@example.com" <mallory@example.net>`:                                      ErrDeceives,
		"mallory@example.net (boss@example.com)":                                          ErrDeceives,
		"alice@example.com, \"boss@example.com\" <mallory@example.net>":                   ErrDeceives,
		"=?utf-8?q?boss=40example=2Ecom?= <mallory@example.net>":                          ErrDeceives,
		"=?UTF-8?B?Ym9zc0BleGFtcGxlLmNvbQ==?= <mallory@example.net>":                      ErrDeceives,
		"=?utf-8?q?boss=40exa?= =?utf-8?q?mple=2Ecom?= <mallory@example.net>":             ErrDeceives,
		`"=?utf-8?q?boss=40example=2Ecom?=" <mallory@example.net>`:                        ErrDeceives,
		"=?koi8-r?q?boss=40example=2Ecom?= <mallory@example.net>":                         ErrDeceives,
		"=?utf-16?b?AGIAbwBzAHMAQABlAHgAYQBtAHAAbABlAC4AYwBvAG0=?= <mallory@example.net>": ErrDeceives,
		`"boss＠example．com" <mallory@example.net>`:                                        ErrDeceives,
		"\"boss\u200b@exam\u2060ple.com\" <mallory@example.net>":                          ErrDeceives,
		"\"boss@example.com\u202e\" <mallory@example.net>":                                ErrDeceives,
	} {
		if _, err := Authors(value); err != want {
			t.Errorf("%s: %v, want %v", value, err, want)
		}
	}
}

// TestAddressesLinear: of 32 times as much, up to the largest header there can be,
// the work is not more than some 32 times as much, counted in allocations.
func TestAddressesLinear(t *testing.T) {
	for _, piece := range []string{"a ", "(", ")", "\"\" ", "[", "[ ", "<", "<<", "=?", "=?.", "=?a?q?", ",", "a,", ":", ";", "a@b.c,", "a:b;", "\\", ".", "@", "<a@b.c>", "\"a@b.c\" <d@e.f>,", "=?utf-8?q?a=40b.c?= "} {
		steps := func(n int) float64 {
			value := strings.Repeat(piece, n/len(piece))
			return testing.AllocsPerRun(1, func() { Authors(value) })
		}
		small, large := steps(MaxHeader/32), steps(MaxHeader)
		if large > 64*(small+10) {
			t.Errorf("%q: %v allocations, and %v of 32 times as much", piece, small, large)
		}
	}
}

// FuzzMailboxes: what is taken, written as RFC 5322 wants it, is the same again.
func FuzzMailboxes(f *testing.F) {
	for _, seed := range []string{"a@b.c", "A <a@b.c>, \"x, y\" <d@e.f>", "G: a@b.c, d@e.f;", "a@b.c (x)", `"q\"" <a@b.c>`, "Doe, J. <j@b.c>", "<<a@b.c>>;", "<@a,@b:c@d>",
		"a . b @ [ 192.0.2.1 ]", "=?utf-8?q?a=40b,?= <c@d>", "mailto:a@b.c", "ü <ü@ü.example>"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		list, err := Mailboxes(value)
		if err != nil {
			return
		}
		var words []string
		for _, m := range list {
			name := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(m.Name)
			words = append(words, `"`+name+`" `+m.Path.String())
		}
		again, err := Mailboxes(strings.Join(words, ", "))
		if err != nil || !slices.Equal(again, list) {
			t.Errorf("%q is read as %q, and that as %q, %v", value, list, again, err)
		}
	})
}

// FuzzAddresses: nobody becomes an author whom net/mail does not see as one.
func FuzzAddresses(f *testing.F) {
	for _, seed := range []string{"a@b.c", "A <a@b.c>, \"x, y\" <d@e.f>", "G: a@b.c, d@e.f;", "a@b.c (x)", `"q\"" <a@b.c>`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		got, ok := addresses(value)
		theirs, err := mail.ParseAddressList(value)
		if !ok || err != nil {
			return
		}
		var want []string
		for _, a := range theirs {
			// theirs is unquoted: let ours be written the same way
			i := strings.LastIndexByte(a.Address, '@')
			want = append(want, strings.Trim(a.Address[:i], `"`)+a.Address[i:])
		}
		for i := range got {
			j := strings.LastIndexByte(got[i], '@')
			local := strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(strings.Trim(got[i][:j], `"`))
			got[i] = local + got[i][j:]
		}
		if !slices.Equal(got, want) && !strings.ContainsAny(value, `\`) {
			t.Errorf("%q: ours %q, theirs %q", value, got, want)
		}
	})
}
