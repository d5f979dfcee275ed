"""Sentences of shop reviews in 21 languages, written for the demo, to be put together at random."""

from typing import NamedTuple


class Sentences(NamedTuple):
    """One language's sentences: any opening, middle and closing make a review."""

    openings: tuple[str, ...]
    middles: tuple[str, ...]
    closings: tuple[str, ...]
    rude: tuple[str, ...]
    contact: str


SENTENCES = {
    "en": Sentences(
        ("I bought these headphones for my daughter last week.", "Delivery took only two days, which surprised me.", "We have been using this kettle every morning since March.", "Honestly, I expected more for the price."),
        ("The sound is clear and the battery lasts all day.", "The colour looks exactly like the picture on the website.", "It stopped working after a week and nobody answers my messages.", "The classic bass line comes out warm and deep."),
        ("I would buy it again without thinking twice.", "Thanks a lot to the friendly people in the shop!", "I'm sending it back tomorrow.", "Five stars from all of us."),
        ("What the fuck is wrong with this cable?", "Total sh1t, don't waste your money.", "The seller is an a$$hole, plain and simple."),
        "You can reach me at {email} or on {phone}.",
    ),
    "de": Sentences(
        ("Ich habe die Kopfhörer letzte Woche für meine Tochter gekauft.", "Die Lieferung kam schon nach zwei Tagen an.", "Wir benutzen den Wasserkocher seit März jeden Morgen.", "Ehrlich gesagt hatte ich für den Preis mehr erwartet."),
        ("Der Klang ist klar und der Akku hält den ganzen Tag.", "Das Licht ist hell und das Kabel angenehm dick.", "Nach einer Woche war das Gerät kaputt und niemand antwortet.", "Die Farbe sieht genauso aus wie auf dem Bild."),
        ("Ich würde es sofort wieder bestellen.", "Vielen Dank an das freundliche Team!", "Morgen schicke ich es zurück.", "Fünf Sterne von der ganzen Familie."),
        ("So eine Scheiße habe ich noch nie gekauft.", "Der Verkäufer ist ein Arschloch."),
        "Bitte schreiben Sie mir an {email} oder rufen Sie an: {phone}.",
    ),
    "fr": Sentences(
        ("J'ai acheté ce casque la semaine dernière pour ma fille.", "La livraison n'a pris que deux jours.", "Nous utilisons cette bouilloire tous les matins depuis mars.", "Franchement, je m'attendais à mieux pour ce prix."),
        ("Le son est clair et la batterie tient toute la journée.", "La couleur est exactement celle de la photo.", "L'appareil est tombé en panne après une semaine.", "Malgré un léger retard, tout est arrivé en bon état."),
        ("Je le rachèterais sans hésiter.", "Merci beaucoup à toute l'équipe !", "Je le renvoie demain matin.", "Cinq étoiles de la part de toute la famille."),
        ("C'est de la merde, ne l'achetez pas.", "Ce vendeur est un vrai connard."),
        "Vous pouvez m'écrire à {email} ou m'appeler au {phone}.",
    ),
    "es": Sentences(
        ("Compré estos auriculares la semana pasada para mi hija.", "El paquete llegó en solo dos días.", "Usamos este hervidor todas las mañanas desde marzo.", "La verdad, esperaba algo mejor por este precio."),
        ("El sonido es claro y la batería dura todo el día.", "El color negro es exactamente como en la foto.", "Dejó de funcionar después de una semana y nadie responde.", "Los materiales parecen buenos y pesa muy poco."),
        ("Lo compraría otra vez sin pensarlo.", "¡Muchas gracias a la gente de la tienda!", "Mañana lo devuelvo.", "Cinco estrellas de toda la familia."),
        ("Es una mierda, no gastéis vuestro dinero.", "Este vendedor es un gilipollas."),
        "Podéis escribirme a {email} o llamarme al {phone}.",
    ),
    "it": Sentences(
        ("Ho comprato queste cuffie la settimana scorsa per mia figlia.", "La consegna è arrivata in soli due giorni.", "Usiamo questo bollitore ogni mattina da marzo.", "Sinceramente mi aspettavo di più per questo prezzo."),
        ("Il suono è chiaro e la batteria dura tutto il giorno.", "Il colore è esattamente come nella foto.", "Dopo una settimana ha smesso di funzionare e nessuno risponde.", "I materiali sono buoni e la confezione era curata."),
        ("Lo ricomprerei subito.", "Grazie mille a tutti i ragazzi del negozio!", "Domani lo rimando indietro.", "Cinque stelle da tutta la famiglia."),
        ("Questo cavo è una cazzata, non compratelo.", "Il venditore è uno stronzo."),
        "Potete scrivermi a {email} oppure chiamarmi al {phone}.",
    ),
    "pt": Sentences(
        ("Comprei estes fones na semana passada para a minha filha.", "A entrega demorou apenas dois dias.", "Usamos esta chaleira todas as manhãs desde março.", "Sinceramente, eu esperava mais por esse preço."),
        ("O som é limpo e a bateria dura o dia inteiro.", "A cor é exatamente igual à da foto.", "Parou de funcionar depois de uma semana e ninguém responde.", "O material parece bom e a embalagem chegou perfeita."),
        ("Eu compraria de novo sem pensar.", "Muito obrigado ao pessoal da loja!", "Amanhã vou devolver.", "Cinco estrelas de toda a família."),
        ("Que merda de cabo, não comprem.", "O vendedor é um filho da puta."),
        "Podem escrever para {email} ou ligar para {phone}.",
    ),
    "nl": Sentences(
        ("Ik heb deze koptelefoon vorige week voor mijn dochter gekocht.", "De levering duurde maar twee dagen.", "Wij gebruiken deze waterkoker sinds maart elke ochtend.", "Eerlijk gezegd had ik voor deze prijs meer verwacht."),
        ("Het geluid is helder en de batterij gaat de hele dag mee.", "De kleur is precies zoals op de foto.", "Na een week deed hij het niet meer en niemand reageert.", "Het materiaal voelt stevig en hij weegt bijna niets."),
        ("Ik zou hem zo weer kopen.", "Hartelijk dank aan de mensen van de winkel!", "Morgen stuur ik hem terug.", "Vijf sterren van het hele gezin."),
        ("Godverdomme, wat een waardeloos ding.", "De verkoper is een klootzak."),
        "Je kunt mij mailen op {email} of bellen op {phone}.",
    ),
    "pl": Sentences(
        ("Kupiłam te słuchawki w zeszłym tygodniu dla mojej córki.", "Dostawa trwała tylko dwa dni.", "Używamy tego czajnika codziennie rano od marca.", "Szczerze mówiąc, za tę cenę spodziewałem się więcej."),
        ("Dźwięk jest czysty, a bateria wystarcza na cały dzień.", "Kolor wygląda dokładnie tak jak na zdjęciu.", "Po tygodniu przestał działać i nikt nie odpowiada.", "Materiał jest solidny, a opakowanie było bardzo ładne."),
        ("Kupiłbym go jeszcze raz bez wahania.", "Bardzo dziękuję miłym ludziom ze sklepu!", "Jutro odsyłam go z powrotem.", "Pięć gwiazdek od całej rodziny."),
        ("Kurwa, znowu się zepsuło.", "Ten kabel to gówno."),
        "Proszę pisać na {email} albo dzwonić pod {phone}.",
    ),
    "sv": Sentences(
        ("Jag köpte de här hörlurarna till min dotter förra veckan.", "Leveransen tog bara två dagar.", "Vi har använt vattenkokaren varje morgon sedan mars.", "Ärligt talat väntade jag mig mer för det priset."),
        ("Ljudet är klart och batteriet räcker hela dagen.", "Färgen ser ut precis som på bilden.", "Efter en vecka tog det slut, och ingen svarar.", "Materialet känns stadigt och det gick i full fart att montera."),
        ("Jag skulle köpa den igen utan att tveka.", "Stort tack till de vänliga människorna i butiken!", "I morgon skickar jag tillbaka den.", "Fem stjärnor från hela familjen."),
        ("Fy helvete vilken dålig kabel.", "Det här är rena skiten, jävla skräp."),
        "Du kan skriva till {email} eller ringa {phone}.",
    ),
    "tr": Sentences(
        ("Bu kulaklığı geçen hafta kızım için aldım.", "Kargo sadece iki günde geldi.", "Bu su ısıtıcısını mart ayından beri her sabah kullanıyoruz.", "Açıkçası bu fiyata daha iyisini beklerdim."),
        ("Sesi çok net ve pili bütün gün yetiyor.", "Rengi tam olarak fotoğraftaki gibi.", "Bir hafta sonra bozuldu ve kimse cevap vermiyor.", "Malzemesi sağlam, paketleme de çok özenliydi."),
        ("Hiç düşünmeden tekrar alırım.", "Mağazadaki güler yüzlü çalışanlara çok teşekkürler!", "Yarın geri gönderiyorum.", "Bütün aileden beş yıldız."),
        ("Siktir, yine bozuldu bu kablo.", "Satıcı tam bir orospu çocuğu."),
        "Bana {email} adresinden yazabilir ya da {phone} numarasından arayabilirsiniz.",
    ),
    "ru": Sentences(
        ("Я купила эти наушники на прошлой неделе для дочери.", "Доставка заняла всего два дня.", "Мы пользуемся этим чайником каждое утро с марта.", "Честно говоря, за такую цену я ожидал большего."),
        ("Звук чистый, а батареи хватает на целый день.", "Цвет точно такой же, как на фотографии.", "Через неделю он сломался, и никто не отвечает.", "Материал приятный на ощупь, кот открыл рот от удивления."),
        ("Купил бы ещё раз не раздумывая.", "Большое спасибо приветливым людям из магазина!", "Завтра отправлю его обратно.", "Пять звёзд от всей семьи."),
        ("Это полное дерьмо, не покупайте.", "Опять сломалось, блять."),
        "Пишите мне на {email} или звоните: {phone}.",
    ),
    "uk": Sentences(
        ("Я купила ці навушники минулого тижня для доньки.", "Доставка тривала лише два дні.", "Ми користуємося цим чайником щоранку з березня.", "Чесно кажучи, за такі гроші я очікував більшого."),
        ("Звук чистий, а батареї вистачає на цілий день.", "Колір точнісінько такий, як на світлині.", "Через тиждень він зламався, і ніхто не відповідає.", "Матеріал міцний, а пакунок був дуже охайний."),
        ("Купив би ще раз не вагаючись.", "Щиро дякую привітним людям із крамниці!", "Завтра відішлю його назад.", "П'ять зірок від усієї родини."),
        ("Це лайно, а не кабель.", "Курва, знову зламалося."),
        "Пишіть мені на {email} або телефонуйте: {phone}.",
    ),
    "el": Sentences(
        ("Αγόρασα αυτά τα ακουστικά την περασμένη εβδομάδα για την κόρη μου.", "Η παράδοση κράτησε μόνο δύο μέρες.", "Χρησιμοποιούμε τον βραστήρα κάθε πρωί από τον Μάρτιο."),
        ("Ο ήχος είναι καθαρός και η μπαταρία κρατάει όλη μέρα.", "Το χρώμα είναι ακριβώς όπως στη φωτογραφία.", "Μετά από μια εβδομάδα χάλασε και κανείς δεν απαντά."),
        ("Θα το αγόραζα ξανά χωρίς σκέψη.", "Ευχαριστώ πολύ τους ανθρώπους του καταστήματος!", "Αύριο το στέλνω πίσω."),
        ("Σκατά ποιότητα, μην το πάρετε.", "Ο πωλητής είναι μαλάκας."),
        "Γράψτε μου στο {email} ή τηλεφωνήστε στο {phone}.",
    ),
    "ar": Sentences(
        ("اشتريت هذه السماعات الأسبوع الماضي لابنتي.", "وصل الطرد خلال يومين فقط.", "نستخدم هذه الغلاية كل صباح منذ شهر مارس."),
        ("الصوت واضح والبطارية تدوم طوال اليوم.", "اللون مطابق تماما للصورة على الموقع.", "توقف الجهاز عن العمل بعد أسبوع ولا أحد يرد على رسائلي."),
        ("سأشتريه مرة أخرى دون تردد.", "شكرا جزيلا لجميع العاملين في المتجر!", "سأعيده غدا إلى البائع."),
        ("هذا المنتج خرا ولا يستحق المال.",),
        "يمكنكم مراسلتي على {email} أو الاتصال على {phone}.",
    ),
    "he": Sentences(
        ("קניתי את האוזניות האלה בשבוע שעבר בשביל הבת שלי.", "המשלוח הגיע תוך יומיים בלבד.", "אנחנו משתמשים בקומקום הזה כל בוקר מאז מרץ."),
        ("הצליל נקי והסוללה מחזיקה כל היום.", "הצבע נראה בדיוק כמו בתמונה.", "אחרי שבוע זה התקלקל ואף אחד לא עונה."),
        ("הייתי קונה את זה שוב בלי לחשוב.", "תודה רבה לאנשים הנחמדים בחנות!", "מחר אני מחזיר את זה."),
        ("איזה חרא של כבל, חבל על הכסף.",),
        "אפשר לכתוב לי אל {email} או להתקשר אל {phone}.",
    ),
    "hi": Sentences(
        ("मैंने यह हेडफोन पिछले हफ्ते अपनी बेटी के लिए खरीदा था।", "सामान सिर्फ दो दिन में पहुँच गया।", "हम मार्च से हर सुबह इस केतली का इस्तेमाल कर रहे हैं।"),
        ("आवाज़ साफ है और बैटरी पूरे दिन चलती है।", "रंग बिल्कुल तस्वीर जैसा है।", "एक हफ्ते बाद यह खराब हो गया और कोई जवाब नहीं देता।"),
        ("मैं इसे बिना सोचे दोबारा खरीदूँगा।", "दुकान के सभी लोगों को बहुत धन्यवाद!", "कल मैं इसे वापस भेज रहा हूँ।"),
        ("यह दुकानदार हरामी है।",),
        "मुझे {email} पर लिखें या {phone} पर फोन करें।",
    ),
    "zh": Sentences(
        ("上个星期我给女儿买了这副耳机。", "快递只用了两天就到了。", "从三月开始，我们每天早上都用这个水壶。"),
        ("声音很清楚，电池可以用一整天。", "颜色跟网站上的图片一模一样。", "用了一个星期就坏了，客服也不回复。"),
        ("下次我还会再买。", "非常感谢店里热情的工作人员！", "明天我就把它退回去。"),
        ("他妈的，线又断了。", "这个卖家真是傻逼。"),
        "请发邮件到{email}，或者打电话{phone}。",
    ),
    "ja": Sentences(
        ("先週、娘のためにこのヘッドホンを買いました。", "たった二日で届いたので驚きました。", "三月から毎朝このケトルを使っています。"),
        ("音がとてもきれいで、電池も一日中もちます。", "色は写真とまったく同じです。", "一週間で壊れてしまい、問い合わせても返事がありません。"),
        ("また買いたいと思います。", "お店の皆さん、本当にありがとうございました！", "明日返品します。"),
        ("クソ野郎、金を返せ。",),
        "ご連絡は{email}、または{phone}までお願いします。",
    ),
    "ko": Sentences(
        ("지난주에 딸에게 주려고 이 헤드폰을 샀습니다.", "배송은 이틀밖에 걸리지 않았어요.", "삼월부터 매일 아침 이 주전자를 쓰고 있습니다."),
        ("소리가 깨끗하고 배터리가 하루 종일 갑니다.", "색깔이 사진과 똑같습니다.", "일주일 만에 고장 났는데 아무도 대답하지 않아요."),
        ("망설이지 않고 다시 살 거예요.", "가게의 친절한 직원분들께 정말 감사드립니다!", "내일 반품하겠습니다."),
        ("씨발, 또 고장 났네.",),
        "{email} 주소로 메일을 보내거나 {phone} 번호로 전화해 주세요.",
    ),
    "th": Sentences(
        ("ฉันซื้อหูฟังนี้ให้ลูกสาวเมื่อสัปดาห์ที่แล้ว", "ของมาถึงภายในสองวันเท่านั้น", "เราใช้กาต้มน้ำนี้ทุกเช้าตั้งแต่เดือนมีนาคม"),
        ("เสียงใสมากและแบตเตอรี่อยู่ได้ทั้งวัน", "สีเหมือนในรูปทุกอย่าง", "ใช้ไปหนึ่งสัปดาห์ก็เสียและไม่มีใครตอบ"),
        ("ฉันจะซื้ออีกแน่นอน", "ขอบคุณพนักงานในร้านทุกคนมาก", "พรุ่งนี้จะส่งคืน"),
        ("สายเหี้ยนี่ขาดอีกแล้ว",),
        "เขียนถึงฉันที่ {email} หรือโทร {phone}",
    ),
    "vi": Sentences(
        ("Tôi mua tai nghe này tuần trước cho con gái.", "Giao hàng chỉ mất hai ngày.", "Chúng tôi dùng ấm đun nước này mỗi sáng từ tháng ba."),
        ("Âm thanh rất trong và pin dùng được cả ngày.", "Màu sắc giống hệt như trong ảnh.", "Sau một tuần thì hỏng và không ai trả lời."),
        ("Tôi sẽ mua lại mà không cần suy nghĩ.", "Cảm ơn mọi người ở cửa hàng rất nhiều!", "Ngày mai tôi gửi trả lại, vì tôi đang bị cúm."),
        ("Đéo hiểu sao dây lại đứt nữa.",),
        "Hãy viết cho tôi qua {email} hoặc gọi {phone}.",
    ),
}  # fmt: skip
