package quota

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"superlist/lists/ledger"
	"superlist/queue"
	"superlist/smtp"
)

// TestManualLimits: docs/security.md names the limits as they are.
func TestManualLimits(t *testing.T) {
	text, err := os.ReadFile("../../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "\n## Limits\n")
	thousands := func(n int) string {
		if n < 10000 {
			return fmt.Sprint(n)
		}
		return fmt.Sprintf("%d %03d", n/1000, n%1000)
	}
	want := []string{
		fmt.Sprintf("| letters that ask or explain (subscribe, help …) | 1 of a kind | %d; a /48 %d | %d |", MaxAskedNetwork, maxAskedCustomer, maxAskedList),
		fmt.Sprintf("| the same, from all lists of the site | %d unanswered | %d; a /48 %d | %s |", maxAskedPerson, askedLists*MaxAskedNetwork, askedLists*maxAskedCustomer, thousands(askedLists*maxAskedList)),
		fmt.Sprintf("| the same, to all people of one domain | | | %d unanswered, and 1 for each answer of the last %d days |", MaxAskedDomain, ledger.Known.Life()/ledger.Day),
		fmt.Sprintf("| letters with old posts | %d; %d for a stranger, if anyone may ask | %d; a /48 %d | %d |", MaxFetched, maxFetchedStranger, maxFetchedNetwork, maxFetchedCustomer, maxFetchedList),
		fmt.Sprintf("| mail to owners, up to %d MiB | | %d an hour; %d a day, also a /48 | %d |", MaxOwnerMail>>20, MaxOwnerHour, maxOwnerNetwork, MaxOwnerDay),
		fmt.Sprintf("| failed log-ins (on the site) | %d in a session |", smtp.MaxAuthFailures),
		fmt.Sprintf("| posts that wait for a moderator | | %d an hour; %d a day, also a /48 | %d |", MaxHeldHour, maxHeldNetwork, MaxHeld),
		fmt.Sprintf("| letters to moderators about single posts | | | %d posts; the rest in one summary |", MaxHeldNotices),
		fmt.Sprintf("| stored delivery reports | | | %s, for %d days |", thousands(ledger.Reports.Most()), ledger.Reports.Life()/ledger.Day),
		fmt.Sprintf("| recipients of one transaction | %d (", smtp.MaxRecipients),
		fmt.Sprintf("| mistakes in a session | %d; ", smtp.MaxErrors),
		fmt.Sprintf("| disk space that is always left free | | | %d MiB |", queue.MinFreeBytes>>20),
	}
	for _, row := range want {
		if !strings.Contains(table, "\n"+row) {
			t.Errorf("docs/security.md does not say\n%s", row)
		}
	}
}
