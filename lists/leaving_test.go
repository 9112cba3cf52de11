package lists

import "testing"

// TestAsksToLeave: what is nothing but the wish to leave a list, and what is a post.
func TestAsksToLeave(t *testing.T) {
	for text, want := range map[string]bool{
		"unsubscribe": true, "Unsubscribe!": true, "UNSUBSCRIBE dev": true, "unsubscribe dev@lists.example.org": true,
		"please unsubscribe me from this list, thanks": true, "remove me": true, "Please remove my email from the mailing list.": true,
		"stop sending me emails": true, "I would like to unsubscribe": true, "How do I unsubscribe?": true, "signoff dev": true,
		"Bitte abmelden": true, "Ich möchte mich von dieser Liste abmelden, danke": true, "austragen": true,
		"désinscription": true, "Merci de me désinscrire de cette liste": true, "Quiero darme de baja de esta lista, por favor": true,
		"Disiscrivetemi, grazie": true, "Graag uitschrijven": true, "Proszę wypisać mnie z listy": true,
		"Отписаться от рассылки": true, "退会します": true, "配信停止をお願いします": true, "取消订阅": true, "구독 취소": true,

		"": false, "help": false, "hello all": false, "leave": false, "me": false, "stop": false,
		"Re: unsubscribe": false, // people talk about it
		"The unsubscribe link of our product is broken":     false,
		"[PATCH] unsubscribe: handle empty addresses":       false,
		"Please remove the old driver":                      false,
		"Parental leave for my team":                        false,
		"How do I unsubscribe a channel in the client API?": false,
		"Anleitung zum Abmelden vom Server":                 false,
		"退会した人の一覧を表示する画面について相談があります。よろしくお願いします。": false,
	} {
		if got := AsksToLeave(text, "dev@lists.example.org"); got != want {
			t.Errorf("%q: %t", text, got)
		}
	}
}
