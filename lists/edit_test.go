package lists_test

import (
	"superlist/lists"
	"superlist/lists/edit"
	"superlist/smtp"
)

func init() {
	lists.EditCreate, lists.EditMove, lists.EditRemove = edit.Create, edit.Move, edit.Remove
	lists.EditSet, lists.EditAddPattern, lists.EditMembers = edit.Set, edit.AddPattern, edit.Members
	lists.EditBegin = func(s lists.Directory, addr smtp.Path, text string) (lists.NewList, error) {
		return edit.Begin(s, addr, text)
	}
}
