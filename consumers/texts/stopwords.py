"""Words too common to say what a text is about, by language: the most frequent function words of each."""

from functools import cache

_WORDS = {
    "ar": "في من على إلى عن مع هذا هذه ذلك التي الذي ان أن إن كان كانت لا ما لم لن هو هي هم أنا نحن أنت كل بعد قبل عند حتى لكن أو ثم قد جدا جداً كما بين غير يكون لقد",
    "cs": "a i o u v ve z ze s se si na do k ke je jsou jsem byl byla bylo být to ten ta ty že co jak ale nebo tak už jen pro po za od při který která které mě mi my vy moc velmi",
    "da": "og i at det en et den til er som på de med han af for ikke der var mig sig men har om vi min havde ham hun nu over da fra du ud dem os op man hans meget jeg",
    "de": "der die das den dem des ein eine einen einem einer eines und oder aber ich du er sie es wir ihr ist sind war waren bin hat habe haben hatte nicht kein keine mit von vom zu zum zur "
    "auf aus an am im in bei für über unter nach vor auch nur noch schon so sehr wie was wer wenn dass als dann da man mich mir sich uns mein meine meinen meiner ihm ihn ihnen wird werden "
    "wurde kann können einfach mehr immer wieder hier dieser diese dieses",
    "el": "και το τα τη την της του των τον οι ο η ένα μια ένας στο στη στην στον στα σε με για από που πως δεν δε μην να θα είναι ήταν μου σου μας σας αλλά ή αν όταν πολύ πιο κάθε αυτό αυτή",
    "en": "a about above after again all also am an and any are as at be because been before being but by can could did do does doing don down during each even ever every few for from further get "
    "got had has have having he her here hers him his how i if in into is it its just like me more most much my no nor not now of off on once one only or other our out over own really same "
    "she should so some still such than that the their them then there these they this those through to too under until up us very was we were what when where which while who whom why will "
    "with would you your yours m s t ll re ve d isn wasn didn doesn won",
    "es": "el la los las un una unos unas y o u e pero de del a al en con por para sin sobre entre que qué es son era fue ser está están estoy estaba hay ha he han había no sí me te se nos lo le les "
    "mi mis tu su sus yo él ella este esta esto estos ese esa eso muy más menos ya también como cómo cuando donde si porque todo toda todos tan bien",
    "fa": "و در به از که این آن را با است برای تا هم بود من ما شما او آنها هر یک خیلی اما ولی یا اگر می نمی شد شده ها های کرد بسیار",
    "fi": "ja on ei se että en oli hän mutta ole kun niin kuin minä sinä me te he tämä mitä mikä joka myös vain nyt jo sen tai jos ovat olen olla minun mun tosi hyvin erittäin ihan",
    "fr": "le la les j qu jusqu lorsqu puisqu un une des du de d l et ou mais donc or ni car je tu il elle on nous vous ils elles ce cet cette ces c qu que qui quoi dont où est sont était suis être été a ai as ont avait avoir "
    "pas ne n plus très trop bien aussi avec sans pour par sur sous dans en au aux chez y se s me m te t mon ma mes ton ta tes son sa ses notre votre leur leurs si comme tout tous toute même fait",
    "he": "של את על עם זה זו זאת הוא היא הם אני אתה אנחנו לא כן גם רק אבל או אם כי מה מי יש אין היה הייתה מאוד כל יותר עד אל מן לי לו לה כמו אחרי לפני",
    "hi": "का के की को से में पर है हैं था थी थे और या लेकिन कि यह ये वह वो मैं हम आप तुम मेरा मेरी मेरे इस उस ने भी ही तो नहीं बहुत एक कर करने किया हो गया गई जो अपने लिए साथ",
    "hu": "a az egy és vagy de hogy nem is van volt lesz ez azt ezt mint csak már még ha meg el ki be le fel én te ő mi ti ők nagyon minden amit ami aki",
    "id": "yang dan di ke dari ini itu untuk dengan pada adalah tidak ada saya kami kita anda dia mereka akan sudah bisa juga atau tapi tetapi karena sangat lebih seperti oleh dalam nya banget saja lagi",
    "it": "l un dell all nell sull dall quest c il lo la i gli le un uno una e ed o ma di del dello della dei degli delle a al allo alla ai agli alle da dal dalla in nel nella nei nelle con su sul sulla per tra fra che chi cui non è sono "
    "era ero sei siamo ha ho hai hanno aveva si mi ti ci vi lo mio mia miei tuo suo sua loro questo questa questi quello quella molto più anche come quando dove se perché tutto tutti già",
    "ja": "これ それ あれ この その あの ここ そこ もの こと ため よう 私 僕 彼 人 方 的 上 中 時 本当",
    "ko": "이 그 저 것 수 등 더 잘 좀 너무 정말 아주 매우 그리고 하지만 그런데 그래서 저는 나는 우리 제가 내가 있는 있다 있어요 있습니다 없는 하는 한 할 했다 합니다 입니다 이다",
    "nl": "de het een en of maar ik jij je hij zij ze wij we u is zijn was waren ben heeft heb hebben had niet geen met van voor op in uit aan bij naar om te tot over door dat die dit deze er ook nog "
    "wel al als dan zo heel erg veel meer mijn jouw hun haar wat wie waar hoe toen",
    "no": "og i jeg det at en et den til er som på de med han av for ikke der var meg seg men har om vi min mitt hadde ham hun nå over da fra du ut dem oss opp man hans veldig så",
    "pl": "i w z na do o a to że się nie jest są był była było być jak ale czy co tak już tylko po za od dla przez przy ten ta te tym tego który która które mi mnie mój moja my wy on ona oni bardzo jeszcze też ze we",
    "pt": "o a os as um uma uns umas e ou mas de do da dos das em no na nos nas com por para sem sobre que quem é são era foi ser está estão estou tem tinha há não sim me te se nos lhe eu ele ela eles meu minha "
    "seu sua este esta isto esse essa isso muito mais também como quando onde porque todo toda tudo já bem ao à",
    "ro": "și si în la de pe cu din nu este e sunt era a fi o un una al ale ai că ca dar sau mai foarte tot cum când unde care ce eu tu el ea noi voi lor lui mi se să pentru am ai au fost",
    "ru": "и в во не что он на я с со как а то все она так его но да ты к у же вы за бы по только ее её мне было вот от меня еще ещё нет о из ему теперь когда даже ну ли если уже или ни быть был была были него "
    "до вас нибудь вам ведь там потом себя ничего ей может они тут где есть надо ней для мы тебя их чем сам чтоб без будто чего раз тоже себе под будет это этот эта эти этого очень который мой моя",
    "sv": "och i att det en ett den till är som på de med han av för inte der var mig sig men har om vi min mitt hade honom hon nu över då från du ut dem oss upp man hans mycket jag så väldigt är kan ska bara",
    "th": "และ หรือ แต่ ที่ ใน ของ เป็น มี ไม่ ได้ ให้ กับ จาก ว่า นี้ นั้น มาก ก็ จะ แล้ว ไป มา คือ ฉัน ผม เรา คุณ เขา มัน ครับ ค่ะ อยู่ โดย ซึ่ง เมื่อ ถ้า เพราะ ทุก ความ การ",
    "tr": "ve bir bu da de için ile çok ama ne o ben sen biz siz onlar mi mı mu mü gibi daha en her şey kadar var yok değil olan olarak ki ya veya sonra önce bana beni benim hiç ise bunu",
    "uk": "і й в у на не що він я з із зі як а то все вона так його але та ти до же ви за би по тільки її мені було від мене ще ні про коли вже або якщо був була були для ми їх це цей ця дуже який мій моя",
    "vi": "và là của có không được cho với này đó một các những trong khi thì mà ở đã sẽ đang rất cũng tôi bạn anh chị em họ nó ra vào lên như nhưng hay hoặc từ để bị lại quá mình",
    "zh": "我们 你们 他们 这个 那个 一个 没有 就是 但是 因为 所以 如果 非常 可以 还是 已经 自己 什么 怎么 这样 不是 真的 觉得 以后 时候 的 了 是 在 我 你 他 她 它 这 那 和 也 都 就 很 不 有 与 又 还 "
    "但 而 被 把 给 让 从 到 对 说 着 过 吗 呢 吧 啊 会 要 能 没 太 更 最 个 们 之",
}  # fmt: skip


@cache
def stop_words(language: str) -> frozenset[str]:
    """The language's stop words in small letters; English ones too, as English stands in texts of every language."""
    return frozenset(_WORDS["en"].split()) | frozenset(_WORDS.get(language, "").split())


@cache
def own_stop_words(language: str) -> tuple[str, ...]:
    """The language's own alone, the longest first."""
    return tuple(sorted(_WORDS.get(language, "").split(), key=lambda word: (-len(word), word)))
