package sample

import domain "github.com/quaeso/community-operator/ideas"

// The brand's team, behind the members.
const (
	lead     = "lead@brand.example"
	workshop = "workshop@brand.example"
)

var team = []struct{ address, name, locale string }{
	{lead, "Élise, Atelier Horizon", "fr"}, {workshop, "Marc, Atelier Horizon", "fr"},
	{"host@brand.example", "Nadia, Atelier Horizon", "fr"}, {"moderator@brand.example", "Tim, Horizon Workshop", "en"},
}

// What became of the ideas, by their place in the list. Ages are in days.
type life struct {
	challenge, theme string
	tags             []string
	coAuthors        []int
	steps            []step
	answers          []answer
	// due is in how many days the brand has promised to answer; negative is late.
	due float64
}

type step struct {
	age    float64
	to     domain.State
	reason string
}

type answer struct {
	age  float64
	body string
}

var lives = map[int]life{
	0: {challenge: "under-one-kilo", theme: "shelter", tags: []string{"tente", "poids"}, steps: []step{
		{50, domain.StateQualified, ""}, {8, domain.StateUnderReview, ""},
	}, due: 5},
	1: {challenge: "second-life", theme: "repair", tags: []string{"repair", "spare parts"}, coAuthors: []int{3}, steps: []step{
		{48, domain.StateQualified, ""}, {40, domain.StateUnderReview, ""},
		{34, domain.StateSelected, "Repairs are the first thing you ask us for, and half of the broken zips that come in only need a slider. We start with jackets and packs."},
		{28, domain.StatePlanned, ""}, {22, domain.StateDevelopment, ""}, {9, domain.StateTesting, ""}, {2, domain.StateLaunched, ""},
	}, answers: []answer{
		{34, "We take it up. Every label already carries a production code; from it we can tell slider, fabric and colour. Olivia and Hugo join the workshop for the first kits."},
		{2, "The first eleven kits are in the shops: six jackets, four packs, one tent. Scan the label, and the kit that fits is shown with a two-minute film. Thank you, Olivia and Hugo – your names are on the box."},
	}},
	2: {challenge: "second-life", theme: "together", tags: []string{"location", "famille"}, steps: []step{
		{44, domain.StateQualified, ""}, {31, domain.StateUnderReview, ""},
		{24, domain.StateNotSelected, "Nous avons essayé dans deux magasins : la désinfection et le contrôle des crampons coûtent plus que la location ne rapporte. Nous gardons l’essai gratuit de 48 h pour les chaussures, et rouvrirons le sujet avec les offices de tourisme."},
	}, answers: []answer{{24, "Merci Inès, et merci aux 36 membres qui ont soutenu l’idée. La réponse est non pour l’instant ; les chiffres de l’essai sont dans la décision."}}},
	3: {theme: "clothing", tags: []string{"rain"}},
	4: {theme: "clothing", tags: []string{"coupe", "tailles"}, steps: []step{
		{43, domain.StateQualified, ""}, {36, domain.StateUnderReview, ""},
		{19, domain.StateSelected, "C’est juste, et nous aurions dû y penser sans vous. La collection d’automne sera dessinée sur des patrons nouveaux, avec trois longueurs de jambe."},
		{12, domain.StatePlanned, ""},
	}, answers: []answer{{19, "Un groupe d’essayage de vingt membres se réunit à partir du mois prochain, à Lyon et en ligne. Nora, votre proposition de participer est notée !"}}},
	6: {challenge: "under-one-kilo", theme: "carry", tags: []string{"bivouac"}},
	7: {theme: "repair", tags: []string{"durability"}, steps: []step{{36, domain.StateQualified, ""}}, due: -2},
	8: {theme: "clothing"},
	10: {challenge: "second-life", theme: "repair", tags: []string{"carte", "magasins"}, steps: []step{
		{33, domain.StateQualified, ""}, {29, domain.StateUnderReview, ""},
		{21, domain.StateSelected, "Simple, utile, et nos ateliers la demandent aussi."}, {16, domain.StatePlanned, ""}, {7, domain.StateDevelopment, ""},
	}, answers: []answer{{21, "La carte ouvre avec 34 ateliers et leur délai du jour. Reste à former les magasins à le tenir à jour : c’est la partie difficile."}}},
	12: {challenge: "second-life", theme: "repair", tags: []string{"chaussures", "semelle"}, steps: []step{
		{30, domain.StateQualified, ""}, {20, domain.StateUnderReview, ""}, {11, domain.StateShortlisted, "Douze paires essayées, et des semelles qui tiennent : l’idée reste dans la course."},
	}, due: 8, answers: []answer{{11, "Deux cordonniers ont ressemelé douze paires pour nous. Nous comparons les prix et revenons vers vous avant la fin du mois."}}},
	14: {theme: "clothing", tags: []string{"poche"}, steps: []step{{22, domain.StateQualified, ""}}, due: 6},
	15: {theme: "tools", tags: []string{"accessibilité"}, steps: []step{
		{20, domain.StateUnderReview, ""},
		{15, domain.StateSelected, "Bon pour tous et presque gratuit à produire, comme l’a écrit Chloé."}, {13, domain.StatePlanned, ""}, {10, domain.StateDevelopment, ""}, {4, domain.StateTesting, ""},
	}, answers: []answer{{15, "Les repères tactiles sont sur les prototypes de printemps. Mia, accepteriez-vous de les essayer les yeux fermés avec nous ?"}}},
	16: {theme: "together", steps: []step{
		{17, domain.StateUnderReview, ""}, {14, domain.StateSelected, "Your wool quilt is the first one: the call for testers is open."}, {13, domain.StatePlanned, ""},
		{12, domain.StateDevelopment, ""}, {10, domain.StateLaunched, ""},
	}, answers: []answer{{10, "Test weekends begin with the wool quilt. Twelve places, half of them for members who live in the mountains."}}},
	17: {theme: "tools", tags: []string{"eau"}, steps: []step{{12, domain.StateQualified, ""}}, due: 9},
	18: {theme: "carry", tags: []string{"repair", "standard"}},
	19: {challenge: "under-one-kilo", theme: "shelter", tags: []string{"laine", "duvet"}, steps: []step{
		{11, domain.StateQualified, ""}, {9, domain.StateUnderReview, ""},
		{7, domain.StateSelected, "La laine mouillée qui tient chaud, et des éleveurs à côté de chez nous : nous voulons savoir. Douze prototypes partent en test."},
		{6.5, domain.StatePlanned, ""}, {6, domain.StateDevelopment, ""},
	}, answers: []answer{{7, "Le premier prototype pèse 940 g pour un confort à 6 °C. Trop lourd pour le défi, assez bon pour le tester : l’appel à candidatures est ouvert."}}},
	20: {theme: "carry", tags: []string{"bikepacking"}},
	21: {theme: "together", tags: []string{"prêt"}, steps: []step{{6, domain.StateQualified, ""}}, due: 10},
	22: {theme: "clothing", tags: []string{"shoes"}, steps: []step{{3, domain.StateQualified, ""}}, due: 11},
	23: {theme: "tools"},
	24: {theme: "together", tags: []string{"packaging"}},
}

// replies and thanks put the comments of some ideas into threads: the comment that each answers, from 1.
var replies = map[int][]int{0: {0, 0, 0, 3}, 4: {0, 0, 1}, 7: {0, 0, 2}, 15: {0, 1}, 19: {0, 1, 0}, 21: {0, 0}}

// Entries of the contest; the vote on them is the contest's own.
var entries = []idea{
	{10, 22, 0, "Courbes de niveau", "Les lignes d’une vraie carte, celles de la Meije, en vert forêt sur fond sable. De loin, un tissage ; de près, une montagne.", nil},
	{26, 20, 0, "The night train window", "Dark blue, with a row of small warm rectangles near the base: the windows of a night train crossing a valley. Nothing else.", nil},
	{35, 17, 0, "Traces", "Empreintes de chaussure, de chamois et de ski qui se croisent, en blanc cassé sur ardoise.", nil},
	{44, 15, 0, "Gouttes qui montent", "Des gouttes orange qui rapetissent vers le haut : la gourde se vide en remontant le motif.", nil},
	{52, 12, 0, "Morse", "Dots and dashes around the bottle that spell “drink before you are thirsty”. Two colours, endless repeat, no seam problem.", nil},
	{38, 9, 0, "Herbier", "Six plantes des alpages au trait, avec leur nom en tout petit. On apprend en buvant.", nil},
	{57, 7, 0, "Weather front", "The lines and half-circles of a weather map, a cold front meeting a warm one exactly where your hand goes.", nil},
}

// Entries of the contest that is over.
var stoveNames = []idea{
	{28, 58, 0, "Braise", "Un mot pour ce qui reste chaud quand la flamme est partie. Se dit pareil en anglais, ou presque : « Braise » sounds like something you gather around.", nil},
	{5, 57, 0, "Petit Volcan", "Parce que tout le monde dira « passe-moi le volcan ».", nil},
	{31, 56, 0, "Ember & Tin", "Says what it is made of and what it does.", nil},
	{47, 55, 0, "Pschitt", "Le bruit qu’il fait le matin.", nil},
}

// topics of the forum.
var topics = []struct {
	author  int
	age     float64
	title   string
	body    string
	pinned  bool
	replies []comment
}{
	{62, 60, "Bienvenue autour du feu · Welcome", "Ici on raconte, on demande, on montre. Quand un fil devient une idée, proposez-la : nous ferons le lien.\n\nThis is the place for stories, questions and finds. When a thread turns into an idea, submit it and we will link them.", true, []comment{
		{9, "Merci pour l’accueil ! Je viens pour les réparations, je reste pour les récits."},
	}},
	{27, 26, "Your best night outside, in three sentences", "I start. A wooden bench above a lake in June, no tent, because the stove was forgotten and so was everything else. The stars were free. We were cold and have talked about it ever since.", false, []comment{
		{8, "Sous un noyer, en Drôme, un 15 août. Les brebis sont passées à quatre heures. Personne n’a dormi et personne ne s’est plaint."},
		{33, "A snow hole that took three hours to dig and was used for four. Worth it for the silence."},
		{41, "Le balcon, avec mon fils de cinq ans et une vraie tente. Il en parle plus que de l’Italie."},
	}},
	{14, 13, "Quelqu’un a déjà imperméabilisé une vieille tente ?", "La mienne a douze ans, les coutures vont bien, mais le sol boit. Enduction silicone au pinceau, spray, ou je renonce ?", false, []comment{
		{36, "Silicone thinned with white spirit, brush, two coats, a dry day. Mine has lasted four seasons since."},
		{14, "Merci, je tente ce week-end et je raconte."},
		{51, "Pensez à masquer la fermeture, sinon elle colle pour toujours. Je le sais."},
	}},
	{45, 4, "Train connections for trailheads", "Let us collect huts and trailheads that can be reached without a car. I add: Pralognan by night bus, Saint-Véran twice a week, the Vercors plateau from Die.", false, []comment{
		{20, "Great list. Chamonix – Vallorcine line for half of the Aiguilles Rouges."},
	}},
}

// nights are typed answers to the survey, one line for each member who responded: nights, where, what matters, sleep,
// recommendation, why.
var nights = []struct {
	nights, where string
	matters       []string
	slept, again  string
	why           string
}{
	{"12", "bivouac", []string{"weight", "warmth"}, "4", "9", "Elle tient dans le vent, et elle est réparable."},
	{"3", "campsite", []string{"price"}, "3", "7", ""},
	{"28", "bivouac", []string{"weight", "life"}, "5", "10", "Ten years and two zips later I still trust it."},
	{"6", "hut", []string{"warmth", "price"}, "2", "5", "Trop de condensation à deux."},
	{"1", "garden", []string{"price"}, "4", "8", "Mes enfants l’adorent."},
	{"17", "campsite", []string{"warmth"}, "4", "8", ""},
	{"45", "bivouac", []string{"weight"}, "3", "6", "Good tent, but 600 g too much."},
	{"9", "hut", []string{"life", "warmth"}, "4", "9", "Le service d’atelier fait la différence."},
}

// campaigns are what applicants for the test plan.
var campaigns = []string{
	"Trois nuits au bord du lac d’Allos, puis le balcon : il gèle encore chez nous.",
	"Two weekends in the Pentland hills, and one crossing of the Cairngorms if the weather allows.",
	"Je garde un troupeau dans le Queyras, je dors dehors une nuit sur deux.",
	"A bike trip along the coast, eight nights, damp and windy as always.",
	"En bivouac sous le Mont Aiguille, deux nuits, seul.",
	"Hut-to-hut with friends, but I never sleep in the huts: I snore.",
}
