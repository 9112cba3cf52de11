package migrate

import (
	"math/rand/v2"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"testing"

	"superlist/lists/policy"
	"superlist/lists/rewrite"
)

// TestFieldRules: what an expression on a header becomes.
func TestFieldRules(t *testing.T) {
	for expr, want := range map[string]string{
		`^Subject:.*BayStar`:            "Subject: *BayStar*",
		`^Subject: test$`:               "Subject: test",
		`^From: Morten`:                 "From: Morten*",
		`^(From|Sender): .*@x\.example`: "From: *@x.example* | Sender: *@x.example*",
		`^Subject:.*(foo|bar)`:          "Subject: *bar* | Subject: *foo*",
		`^Subject: colou?r`:             "Subject: color* | Subject: colour*",
		`^Message-ID:`:                  "Message-ID",
		`^X-Spam`:                       "X-Spam*",
		`^Subject:.*`:                   "Subject",
		`^Subject:.*\*\*+`:              "",
		`^Subject:.*\[spam\]`:           `Subject: *\[spam]*`,
		`^Subject: [^a-z]`:              "Subject: [!a-z]*",
		`^Subject: a.c`:                 "Subject: a?c*",
		`^X: a.+b`:                      "X: a?*b*",
		`viagra`:                        "*viagra* | ?*: *viagra*",
		`big deal`:                      "?*: *big deal*",
		`.`:                             "*", `.*`: "*", `^`: "*", ``: "*",
		`^X-.*: yes`: "", `Subject: x`: "", `a.*b`: "", `^Subject:x`: "", `^[a-z]+: x`: "", `(`: "", `^Subject: x{2,`: "",
		`^Subject: a*`: "", `x$`: "", `^$`: "", `^Subject: \bx`: "", `^Sub ject: x`: "", `^Subject: x `: "Subject: x *", `^Subject: x $`: "",
		`^Subject: ` + strings.Repeat("(aa|b)", 5): manyOf("aa", "b", 5), `^Subject: ` + strings.Repeat("(aa|b)", 6): "", `^X: [a-z-]`: "X: [a-z-]*", `^X: []x]`: "", `^X: [!x]`: "", ` a`: "",
	} {
		got, ok := fieldRules(expr, syntax.POSIX)
		if strings.Join(got, " | ") != want || ok != (want != "") {
			t.Errorf("%q: %q, %v, want %q", expr, got, ok, want)
		}
	}
}

// manyOf is what so many choices between two become.
func manyOf(a, b string, n int) string {
	all := []string{"Subject: "}
	for range n {
		var next []string
		for _, s := range all {
			next = append(next, s+a, s+b)
		}
		all = next
	}
	for i := range all {
		all[i] += "*"
	}
	slices.Sort(all)
	return strings.Join(all, " | ")
}

// rule is a line of rules that says accept of a field.
func rule(field string) policy.Rule {
	name, value, _ := strings.Cut(field, ":")
	return policy.Rule{Field: name, Value: strings.TrimSpace(value)}
}

// same holds an expression against what it became, on one line of a header.
func same(t *testing.T, expr, line string) {
	fields, ok := fieldRules(expr, syntax.POSIX)
	re, err := regexp.CompilePOSIX("(?i)" + expr)
	if err != nil {
		re, err = regexp.Compile("(?i)" + expr)
	}
	if !ok || err != nil {
		return
	}
	h := rewrite.Parse([]byte(line + "\r\n"))
	got := false
	for _, f := range fields {
		got = got || rule(f).Fits(h)
	}
	if want := re.MatchString(line); got != want {
		t.Errorf("%q on %q: %v, and as %q: %v", expr, line, want, fields, got)
	}
}

// TestSame: an expression and what it became fit the same lines, for many that
// are made of pieces that matter.
func TestSame(t *testing.T) {
	pieces := []string{"^", "Subject", "X", ":", " ", "a", "b", ".*", ".", "[ab]", "[^a]", "(a|b)", "a?", "$", `\.`, `\*`, "*", "-", `\[`, ".+"}
	lines := []string{"Subject: a", "Subject: ab", "Subject: ba.", "X: a: b", "X: *", "X: .", "X: a*b", "Xa: b", "aX: Subject", "Subject: X: a", "X-a: b b", "X: [a]", "X: -", "ab: ab"}
	translated := 0
	for range 20_000 {
		var expr strings.Builder
		for range 1 + rand.IntN(7) {
			expr.WriteString(pieces[rand.IntN(len(pieces))])
		}
		if _, ok := fieldRules(expr.String(), syntax.POSIX); ok {
			translated++
		}
		same(t, expr.String(), lines[rand.IntN(len(lines))])
		if t.Failed() {
			return
		}
	}
	if translated < 500 {
		t.Errorf("only %d could be translated", translated)
	}
}

// FuzzFieldRules: whatever the expression, what it becomes are lines of rules,
// and fits what it fits.
func FuzzFieldRules(f *testing.F) {
	f.Add(`^Subject:.*(a|b)`, "hello a")
	f.Add(`viagra`, "x")
	f.Fuzz(func(t *testing.T, expr, value string) {
		value = strings.Join(strings.Fields(strings.Map(func(c rune) rune {
			if c < ' ' || c > '~' || c == '=' {
				return 'x'
			}
			return c
		}, value)), " ")
		fields, ok := fieldRules(expr, syntax.POSIX)
		if !ok {
			return
		}
		for _, field := range fields {
			if strings.ContainsAny(field, "\n\r") || len(fields) > 2*maxGlobs {
				t.Fatalf("%q became %q", expr, fields)
			}
		}
		if strings.ContainsFunc(expr, func(c rune) bool { return c < ' ' || c > '~' }) {
			return
		}
		if value != "" {
			same(t, expr, "Subject: "+value)
		}
	})
}
