package migrate

import (
	"regexp/syntax"
	"strings"
)

// access translates mlmmj's control/access: lines with an action, and an expression
// that is applied to each line of a header. The first match decides, and a post without
// a match is denied. If one of our rules cannot express a line, a moderator decides
// from there on: the later lines were never applied to the posts that it matched.
func (p *Parcel) access(text string) {
	const source = "control/access"
	var rules []string
	took := 0
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	if strings.TrimSpace(text) == "" {
		lines = nil
	}
	for n, line := range lines {
		some, all, why := accessRule(strings.TrimRight(line, "\r"))
		if why != "" {
			p.Report.leaveLine(source, n+1, short(line)+": "+why)
			for m, line := range lines[n+1:] {
				p.Report.leaveLine(source, n+m+2, short(line)+": what comes before it is not taken over")
			}
			p.Report.leave(source, "not all of it can be said in rules of ours",
				"a moderator sees the posts that got so far (hold *); write the file rules anew, and leave that line out")
			rules = append(rules, "# mlmmj's further rules are not here: a moderator decides.", "hold *")
			break
		}
		rules = append(rules, some...)
		took++
		if all {
			if rest := len(lines) - n - 1; rest > 0 {
				p.Report.take(source, "%s behind %q, which fits every post, never decided anything", count(rest, "line"), line)
			}
			break
		}
		if n+1 == len(lines) {
			rules = append(rules, "# mlmmj denies what no rule fits.", "reject *")
		}
	}
	if len(lines) == 0 {
		rules = []string{"# mlmmj denies what no rule fits.", "reject *"}
	}
	p.rules = append(p.rules, rules...)
	if took > 0 || len(lines) == 0 {
		p.Report.take(source, "%s of the file rules", count(took, "line"))
	}
}

// accessActions are mlmmj's words, with those of our rules.
var accessActions = map[string]string{
	"allow": "pass", "send": "accept", "deny": "reject", "moderate": "hold", "discard": "discard",
}

// accessRule translates one line. all reports whether it matches every post.
func accessRule(line string) (rules []string, all bool, why string) {
	word, expr, hasExpr := strings.Cut(line, " ")
	name, _, _ := strings.Cut(word, "-") // deny-html: it says which text the author gets
	action, ok := accessActions[name]
	if !ok {
		return nil, false, "it is not a rule; mlmmj then denies every post"
	}
	if !hasExpr {
		return []string{action + " *"}, true, ""
	}
	expr, not := strings.CutPrefix(expr, "!")
	fields, ok := fieldRules(expr, syntax.POSIX)
	if !ok {
		return nil, false, "patterns with * ? and [a-z] cannot say this"
	}
	if not && (len(fields) > 1 || fields[0] == "*") {
		return nil, false, "a rule can say of one field that it is not there, and not of several"
	}
	for _, field := range fields {
		if not {
			field = "!" + field
		}
		rules = append(rules, action+" "+field)
	}
	return rules, fields[0] == "*", ""
}
