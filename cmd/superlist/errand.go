package main

import (
	"fmt"
	"strings"

	"superlist/lists"
	"superlist/lists/edit"
	"superlist/lists/site"
)

// errand calls do, which changes all lists. If it is cut short, or a list fails, check
// names the command that goes on with it.
func errand(site *site.Site, words []string, do func() error) error {
	for i, word := range words {
		words[i] = inQuotes(word)
	}
	end, err := edit.BeginErrand(lists.Of(site), strings.Join(words, " "))
	if err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	return end()
}

// plainWord has what a shell takes as it is.
const plainWord = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@._+=-/"

// inQuotes returns a word as a shell reads it.
func inQuotes(word string) string {
	if word != "" && strings.Trim(word, plainWord) == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// errands names commands that are not done on all lists.
func (k *checker) errands() {
	all, err := edit.Errands(lists.Of(k.site))
	if err != nil {
		k.wrong("lists", err.Error(), k.mend(err, k.site.QueueDir))
	}
	for _, e := range all {
		k.wrong("lists", fmt.Sprintf("%s is not done on all lists: it was cut short, or a list failed", e.Command),
			"call it again, or if it is not wanted any more: rm "+e.File)
	}
}
