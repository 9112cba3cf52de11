package migrate

import (
	"slices"
	"strings"
	"unicode"

	"superlist/lists/mail/charset"
	"superlist/lists/members"
	"superlist/smtp"
)

// Entries parses a line of members as people write and paste it: an address and our
// words about it, "Name <address>" and words, "address (Name)", or several of them
// separated by commas, semicolons or tabs. If why is not empty it says what is wrong
// with the line; then nobody in it becomes a member.
func Entries(text string) (who []members.Member, why string) {
	text = strings.TrimSpace(text)
	if m, ok := members.Parse(text); ok && m.Unknown() == "" {
		return []members.Member{m}, ""
	}
	if strings.ContainsFunc(text, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }) {
		return nil, short(text) + " has control characters in it"
	}
	for _, sep := range ";\t," {
		pieces := split(text, byte(sep))
		if len(pieces) < 2 {
			continue
		}
		return together(pieces, string(sep))
	}
	m, why := entry(text)
	if why != "" {
		return nil, why
	}
	return []members.Member{m}, ""
}

// together parses the pieces of a line. Text without an address belongs to the name of
// the next address, as in Doe, John <john@example.com>; if there is only one address,
// it is the name.
func together(pieces []string, sep string) (members []members.Member, why string) {
	line := short(strings.Join(pieces, sep))
	name := "" // text without an address
	for _, piece := range pieces {
		piece = strings.TrimSpace(piece)
		if piece == "" {
			continue
		}
		if !strings.Contains(piece, "@") {
			if says := spoken(piece); says != "" {
				return nil, line + " says " + says + "; give the file a line with the heads of its columns, as in email,name,status"
			}
			if name != "" {
				name += sep + " "
			}
			name += piece
			continue
		}
		some, why := Entries(piece)
		if why != "" {
			return nil, why
		}
		if name != "" && strings.Contains(piece, "<") {
			some[0] = renamed(some[0], name+sep+" "+nameOf(some[0]))
			name = ""
		}
		members = append(members, some...)
	}
	switch {
	case len(members) == 0:
		return nil, line + " is not an address"
	case name == "":
	case len(members) > 1 || !isName(name) || nameOf(members[0]) != "" || strings.Contains(name, sep):
		return nil, line + ": " + short(name) + " is not understood; give the file a line with the heads of its columns, as in email,name"
	default:
		members[0] = renamed(members[0], name)
	}
	return members, ""
}

// nameOf returns a member's name.
func nameOf(m members.Member) string {
	if len(m.Words) == 0 {
		return ""
	}
	name, ok := strings.CutPrefix(m.Words[len(m.Words)-1], "name=")
	if !ok {
		return ""
	}
	return name
}

// renamed returns a member with another name.
func renamed(m members.Member, name string) members.Member {
	words := slices.DeleteFunc(slices.Clone(m.Words), func(word string) bool { return strings.HasPrefix(word, "name=") })
	if other, ok := member(m.Path.Address(), append(words, named(name)...)...); ok {
		return other
	}
	return m
}

// entry parses one member.
func entry(text string) (m members.Member, why string) {
	bad := short(text) + " is not an address"
	if end := strings.LastIndexByte(text, '>'); end >= 0 {
		name, address := splitName(text[:end+1])
		address = bare(address)
		words := strings.Fields(text[end+1:])
		if strings.EqualFold(bare(name), address) {
			name = ""
		}
		if _, one := smtp.ParseAddress(address); !one || strings.ContainsAny(name, "<>") {
			return m, bad
		}
		if _, another := smtp.ParseAddress(bare(name)); another {
			return m, short(text) + " names two addresses"
		}
		for _, word := range words {
			if says := spoken(word); says != "" {
				return m, short(text) + " says " + says
			}
		}
		if m, ok := member(address, append(words, named(name)...)...); ok {
			return m, knownBehind(m)
		}
		return m, bad
	}
	first, rest, _ := strings.Cut(text, " ")
	if _, ok := smtp.ParseAddress(bare(first)); ok {
		rest = strings.TrimSpace(rest)
		if inner, ok := strings.CutPrefix(rest, "("); ok && strings.HasSuffix(inner, ")") {
			m, ok := member(bare(first), named(inner[:len(inner)-1])...)
			if ok {
				return m, ""
			}
		}
		if isName(rest) && spoken(rest) == "" && !unicode.IsLower([]rune(rest)[0]) {
			if m, ok := member(bare(first), named(rest)...); ok {
				return m, ""
			}
		}
		m, ok := members.Parse(bare(first) + " " + rest)
		if !ok {
			return m, bad
		}
		return m, knownBehind(m)
	}
	if m, ok := members.Parse(text); ok {
		return m, knownBehind(m)
	}
	// A name, and an address without brackets.
	if i := strings.LastIndexAny(text, " \t"); i > 0 && !strings.Contains(text[:i], "@") {
		if _, one := smtp.ParseAddress(bare(text[i+1:])); one && isName(text[:i]) {
			if m, ok := member(bare(text[i+1:]), named(text[:i])...); ok {
				return m, ""
			}
		}
	}
	return m, bad
}

// knownBehind says which words after an address cannot stay there. Unknown words may be
// those of a newer version.
func knownBehind(m members.Member) string {
	for _, word := range m.Words {
		if strings.HasPrefix(word, "name=") || strings.HasPrefix(word, "for=") {
			continue
		}
		if strings.ContainsAny(word, "@<>") {
			return short(word) + " behind " + m.Path.Address() + " is not understood; write one address a line, or commas between"
		}
		if says := spoken(word); says != "" {
			return m.Path.Address() + " says " + says + "; who has left must not come in"
		}
	}
	return ""
}

// bare returns an address without what programs write in front of it.
func bare(s string) string {
	if len(s) > len("mailto:") && strings.EqualFold(s[:len("mailto:")], "mailto:") {
		return s[len("mailto:"):]
	}
	return s
}

// isName reports whether a text may be somebody's name, and not a number or a day.
func isName(s string) bool {
	return strings.ContainsFunc(s, unicode.IsLetter) && !strings.ContainsFunc(s, unicode.IsDigit) && !strings.ContainsAny(s, "@<>=/:")
}

// split splits a text, but not inside quotes, angle brackets and comments.
func split(text string, sep byte) (pieces []string) {
	quoted, angle, depth, from := false, false, 0, 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '<':
			angle = true
		case c == '>':
			angle = false
		case c == '(':
			depth++
		case c == ')' && depth > 0:
			depth--
		case c == sep && !angle && depth == 0:
			pieces = append(pieces, text[from:i])
			from = i + 1
		}
	}
	if quoted || angle || depth > 0 { // an unclosed one is an ordinary character
		return strings.Split(text, string(sep))
	}
	return append(pieces, text[from:])
}

// splitName splits "Name <address>". The name is returned as a person reads it.
func splitName(s string) (name, address string) {
	begin := strings.LastIndexByte(s, '<')
	if begin < 0 || !strings.HasSuffix(s, ">") {
		return "", s
	}
	name, address = strings.TrimSpace(s[:begin]), s[begin+1:len(s)-1]
	if len(name) >= 2 && (name[0] == '"' || name[0] == '\'') && name[len(name)-1] == name[0] {
		name = strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(name[1 : len(name)-1])
	}
	return charset.Words(name), address
}
