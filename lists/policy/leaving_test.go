package policy

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// TestAsksToLeave: what is nothing but the wish to leave a list, and what is a post.
func TestAsksToLeave(t *testing.T) {
	for text, want := range map[string]bool{
		"unsubscribe": true, "Unsubscribe!": true, "UNSUBSCRIBE dev": true, "unsubscribe dev@lists.example.org": true,
		"please unsubscribe me from this list, thanks": true, "remove me": true, "Please remove my email from the mailing list.": true,
		"stop sending me emails": true, "I would like to unsubscribe": true, "How do I unsubscribe?": true, "signoff dev": true,
		"Bitte abmelden": true, "Ich möchte mich von dieser Liste abmelden, danke": true, "austragen": true,
		"désinscription": true, "Merci de me désinscrire de cette liste": true, "Quiero darme de baja de esta lista, por favor": true,
		"Disiscrivetemi, grazie": true, "Graag uitschrijven": true, "Proszę wypisać mnie z listy": true,
		"Unsubscribe <bob@example.com>": true, "unsubscribe\nquit": true, "unsuscribe": true, "please remove bob@example.com from this list": true,
		"Take me off this list!!!": true, "How do I get off this list?": true, "how can I leave this mailing list": true, "I would like to be removed from this list": true,
		"Cancel my subscription": true, "Please don't send me any more mails": true, "stop emailing me": true, "Thank you, please stop sending me these e-mails": true,
		"Bitte nehmen Sie mich von der Liste": true, "Bitte streichen Sie mich aus dem Verteiler": true, "Newsletter abbestellen": true,
		"Veuillez me désinscrire": true, "Désabonnez-moi s'il vous plaît": true, "Supprimez-moi de la liste": true,
		"Cancelar suscripción": true, "por favor eliminarme de la lista": true, "Por favor, me remova da lista": true, "sair da lista": true, "cancelar inscrição": true,
		"Vorrei cancellarmi dalla lista": true, "Meld mij af": true, "uitschrijven aub": true, "avsluta prenumeration": true, "Afmeld mig": true, "meld meg av": true,
		"Poistakaa minut listalta": true, "Peru tilaus": true, "Proszę o wypisanie": true, "Prosím odhlásit": true, "Vreau să mă dezabonez": true, "Abonelikten çık": true, "listeden çıkar": true,
		"Απεγγραφή": true, "Прошу отписать меня от рассылки": true, "удалите меня из рассылки": true, "Odjavi me": true,
		"إلغاء الاشتراك": true, "הסירו אותי מרשימת התפוצה": true, "hủy đăng ký": true, "berhenti berlangganan": true, "メーリングリストから退会したいです": true, "请帮我取消订阅": true, "구독 취소 부탁드립니다.": true,
		"Отписаться от рассылки": true, "退会します": true, "配信停止をお願いします": true, "取消订阅": true, "구독 취소": true,

		"": false, "help": false, "hello all": false, "leave": false, "me": false, "stop": false,
		"Re: unsubscribe": false, // people talk about it
		"The unsubscribe link of our product is broken": false,
		"[PATCH] unsubscribe: handle empty addresses":   false,
		"Please remove the old driver":                  false, "stop the build": false, "please stop": false, "Remove my patch from the list": false, "leave me": false, "Take me to the list": false,
		"remove the mail from the list": false, "End of the mailing list": false, "How do I stop the list?": false, "delete my account": false, "退会処理のバグ": false, "구독 취소 버튼 오류": false, "取消订阅功能坏了": false,
		"from the list": false, "of all the lists": false, "get the list": false, "leave a mail": false, "our subscription": false, "Cancel the meeting": false, "Fwd: unsubscribe": false,
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

// FuzzAsksToLeave: what asks to leave does so with marks and a please around it, and
// never once a word of something else stands in it.
func FuzzAsksToLeave(f *testing.F) {
	for _, text := range []string{"unsubscribe", "Take me off this list!", "remove bob@example.com", "メーリングリストから退会したいです", "구독 취소 부탁드립니다.", "Désabonnez-moi s’il vous plaît", "UNSUBSCRİBE", "stop\xffmails", "hủy đăng ký"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		const list = "dev@lists.example.org"
		if !AsksToLeave(text, list) {
			return
		}
		if !utf8.ValidString(text) || len(text) > maxLeaving-20 {
			return
		}
		if more := " please, " + text + "!\n"; !AsksToLeave(more, list) && !AsksToLeave(strings.ToLower(text)+" please!", list) {
			t.Errorf("%q does not ask", more)
		}
		if other := text + " zeppelin"; AsksToLeave(other, list) {
			t.Errorf("%q asks", other)
		}
	})
}
