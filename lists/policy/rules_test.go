package policy

import "testing"

// TestRuleSpellings: a rule knows both forms of a name; one that keeps something
// away is broad, and one that lets something in is not.
func TestRuleSpellings(t *testing.T) {
	for _, test := range []struct {
		rule, field string
		fits        bool
	}{
		{"hold From: *@bücher.example", "From: eve@xn--bcher-kva.example", true},
		{"accept From: *@bücher.example", "From: eve@xn--bcher-kva.example", true},
		{"accept From: *@*.xn--bcher-kva.example*", "From: Eve <eve@a.BÜCHER.example>", true},
		{"hold Subject: *größe*", "Subject: =?utf-8?q?GR=C3=96SSE_GR=C3=96=C3=9FE?=", true},
		{"reject Subject: *viagra*", "Subject: \uff36iagra", true},
		{"accept Subject: viagra", "Subject: \uff36iagra", false},
		{"reject From: *kim@example.net", "From: \u212aim@example.net", true},
		{"accept From: *kim@example.net", "From: \u212aim@example.net", false},
		{"pass From: *kim@example.net", "From: \u212aim@example.net", false},
		{"reject !From: kim@example.net", "From: \u212aim@example.net", true}, // is it somebody else?
		{"accept !From: kim@example.net", "From: \u212aim@example.net", false},
		{"hold\tSubject:\u00a0x", "Subject: X", true},
	} {
		r, wrong := parseRule(test.rule)
		if wrong != "" {
			t.Errorf("%s: %s", test.rule, wrong)
		}
		if got := r.Fits(header(test.field)); got != test.fits {
			t.Errorf("%s, %s: %v", test.rule, test.field, got)
		}
	}
}
