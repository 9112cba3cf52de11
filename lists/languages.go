package lists

import (
	"fmt"
	"slices"
	"strings"

	"superlist/lists/members"
)

// maxLanguages is in how many languages a list may have a footer: each takes a message
// of its own in the spool.
const maxLanguages = 20

// cutLanguage splits an entry of footers or header_texts, "de: ...", into a BCP 47 tag in
// lower case and a text.
func cutLanguage(s string) (tag, text string, ok bool) {
	tag, text, ok = strings.Cut(s, ":")
	return strings.ToLower(strings.TrimSpace(tag)), strings.TrimLeft(text, " "), ok
}

// badLanguages says what is wrong with footers or header_texts; empty if nothing is.
func badLanguages(texts []string) string {
	var seen []string
	for _, s := range texts {
		tag, text, ok := cutLanguage(s)
		switch {
		case !ok || !members.ValidLanguage(tag):
			return fmt.Sprintf(`%q must be a language, a colon and a text: "de: ..."`, s)
		case slices.Contains(seen, tag):
			return "has " + tag + " twice"
		}
		if what := BadFooter(text); what != "" {
			return tag + ": " + what
		}
		seen = append(seen, tag)
	}
	if len(seen) > maxLanguages {
		return fmt.Sprintf("must have at most %d languages", maxLanguages)
	}
	return ""
}

// tagsOf returns the languages of footers or header_texts.
func tagsOf(texts []string) (tags []string) {
	for _, s := range texts {
		tag, _, _ := cutLanguage(s)
		tags = append(tags, tag)
	}
	return tags
}

// nearest returns the one of some languages that includes another: de, but not de-AT,
// includes de-CH (RFC 4647, 3.4). Empty: none does.
func nearest(tags []string, to string) (best string) {
	to = strings.ToLower(to) + "-"
	for _, tag := range tags {
		if strings.HasPrefix(to, tag+"-") && len(tag) > len(best) {
			best = tag
		}
	}
	return best
}

// textIn returns the text of footers or header_texts for a language, or else another.
func textIn(texts []string, lang, other string) string {
	tag := nearest(tagsOf(texts), lang)
	for _, s := range texts {
		if of, text, _ := cutLanguage(s); of == tag {
			return text
		}
	}
	return other
}

// TextLanguages returns the languages in which the list has a footer or a header_text of
// their own.
func (c *Changes) TextLanguages() []string {
	tags := slices.Concat(tagsOf(c.Footers), tagsOf(c.HeaderTexts))
	slices.Sort(tags)
	return slices.Compact(tags)
}

// TextLanguage returns the one of them that somebody gets; empty if they get footer and
// header_text. Who has chosen no language gets the list's.
func (l *List) TextLanguage(chosen string) string {
	if len(l.Footers)+len(l.HeaderTexts) == 0 {
		return ""
	}
	if chosen == "" {
		chosen = l.Language
	}
	return nearest(l.TextLanguages(), chosen)
}

// FooterIn returns the footer in a language, or else other.
func (c *Changes) FooterIn(lang, other string) string { return textIn(c.Footers, lang, other) }

// HeaderTextIn returns the text on top in a language, or else header_text.
func (c *Changes) HeaderTextIn(lang string) string {
	return textIn(c.HeaderTexts, lang, c.HeaderText)
}
