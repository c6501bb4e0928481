package sample

// The content is French and English side by side, as in a community of both: members write in their own
// language. Names are given names with an initial, as members of such communities call themselves.

var names = []string{
	"Camille R.", "Jules M.", "Inès B.", "Hugo L.", "Léa D.", "Nathan P.", "Manon G.", "Louis F.", "Chloé V.", "Adam K.",
	"Sarah T.", "Théo C.", "Emma S.", "Gabriel N.", "Zoé A.", "Raphaël H.", "Lina O.", "Arthur W.", "Jade E.", "Paul J.",
	"Olivia B.", "Tom H.", "Priya S.", "Liam O’N.", "Grace W.", "Noah F.", "Amelia C.", "Ethan R.", "Sofia M.", "Lucas V.",
	"Ana P.", "Mateo G.", "Freya J.", "Oscar L.", "Ingrid K.", "Sven A.", "Marta Z.", "Piotr W.", "Elena D.", "Marco T.",
	"Yasmine H.", "Karim B.", "Aïcha D.", "Mehdi L.", "Nora S.", "Samuel T.", "Alice M.", "Victor B.", "Romane C.", "Maxime D.",
	"Hannah K.", "Jonas W.", "Clara F.", "Felix B.", "Mia S.", "Ben A.", "Ella P.", "Jack T.", "Ruby N.", "Leo C.",
}

// idea as it is written down here. Age is in days, popularity between 0 and 100 % of the members.
type idea struct {
	author     int
	age        float64
	popularity int
	title      string
	body       string
	comments   []comment
}

type comment struct {
	author int
	body   string
}

var ideas = []idea{
	{0, 58, 88, "Une tente deux places sous le kilo", `Pour les longues randonnées, chaque gramme compte. Aujourd’hui votre tente la plus légère pèse 1,6 kg.

- double toit en silnylon 10D
- arceaux qui servent aussi de bâtons
- **sol renforcé** seulement sous les genoux et les hanches

Je suis prêt à payer plus cher si elle tient dix ans.`, []comment{
		{6, "Oui ! Et une abside assez grande pour deux sacs, s’il vous plaît."},
		{21, "I would buy this tomorrow. Please keep it freestanding, not every pitch takes pegs."},
		{12, "Le 10D m’inquiète un peu sur les terrains caillouteux. Une version 15D à 1,1 kg serait un bon compromis."},
		{0, "Bonne remarque, la version 15D me va aussi."},
	}},
	{20, 56, 74, "Repair kits matched to each product", `When a zip breaks I have to guess which slider fits. Put a small code on the label of every jacket, bag and tent, and sell the matching kit: slider, patch in the right colour, spare buckle.

It would keep a lot of gear out of the bin.`, []comment{
		{3, "Avec une vidéo de deux minutes accessible par le code, ce serait parfait."},
		{27, "The colour match matters more than one would think. Generic grey patches look awful on a red shell."},
	}},
	{2, 54, 61, "Location de matériel pour un week-end", `Mes enfants grandissent trop vite pour tout acheter. Louer chaussures, sac et crampons du vendredi au lundi en magasin, avec une réduction si on achète ensuite le modèle essayé.`, []comment{
		{14, "On le fait déjà pour les skis, pourquoi pas pour le reste."},
		{43, "Pensez aux sacs de couchage pour les colonies, il en faut vingt d’un coup !"},
	}},
	{23, 53, 47, "A rain jacket that fits over a backpack", `Ponchos flap in the wind, and a rain cover leaves the shoulder straps soaking wet. A jacket with an expandable back panel, closed by a zip when you carry nothing, would solve both.`, []comment{
		{36, "There used to be one like that, I still wear mine. It weighs a ton though."},
	}},
	{4, 51, 69, "Des vêtements pensés pour les femmes, pas juste rétrécis", `Les poches trop petites, les bretelles de sac qui tombent au mauvais endroit, les coupes « roses et plus courtes »… Travaillez avec nous sur les patrons dès le départ.`, []comment{
		{10, "Merci ! Et des pantalons disponibles en trois longueurs de jambe."},
		{28, "Same for climbing harnesses: the rise is never right."},
		{44, "Je veux bien faire partie d’un groupe d’essayage."},
	}},
	{25, 49, 33, "Head torch that charges from a bike dynamo", `On bikepacking trips I carry a power bank only for the head torch. A torch with a wide input range that charges slowly from the dynamo hub while I ride would save weight and worry.`, nil},
	{7, 47, 52, "Un sac d’alpinisme qui se transforme en sac de bivouac", `En course de deux jours, le sac vide la nuit ne sert à rien. S’il se dépliait en demi-sac de couchage (pied d’éléphant), on gagnerait 300 g.`, []comment{
		{17, "Il existait des sacs avec une rallonge de ce genre, très pratique."},
	}},
	{29, 45, 80, "Tell us how long a product is meant to last", `Print an expected lifetime on every product page: "made for 500 days of use". And show what usually fails first, and whether it can be repaired. I would choose by that number.`, []comment{
		{5, "Enfin une information utile. Avec la disponibilité des pièces détachées en années."},
		{33, "And publish the return rates? One can dream."},
		{50, "That would beat any star rating."},
	}},
	{9, 43, 41, "Casque d’escalade pour cheveux longs", `Un passage à l’arrière pour une queue de cheval ou des tresses, sans que le casque bascule vers l’avant. Les modèles actuels ne tiennent pas.`, []comment{
		{41, "Et pour les foulards ! Un réglage un peu plus large ferait l’affaire."},
	}},
	{31, 41, 28, "Quiet fabrics for bird watchers", `Waterproof jackets rustle. A soft, silent outer layer in muted colours, with a large front pocket for binoculars, is hard to find at a fair price.`, []comment{
		{22, "Hunters have it, at three times the price and in camouflage. Please make a normal one."},
	}},
	{12, 39, 57, "Une carte des magasins qui réparent", `Je ne sais jamais quel magasin répare quoi. Une carte avec les ateliers, leurs spécialités (semelles, fermetures, coutures étanches) et le délai du moment.`, []comment{
		{48, "Le délai affiché serait déjà énorme."},
	}},
	{33, 37, 36, "Cooking set for one that also fits a gas canister upside down", `In winter the canister freezes. A stove with a preheating tube and a stand to turn the canister over, nested in a 900 ml pot.`, nil},
	{15, 35, 64, "Reprise des chaussures usées pour les ressemeler", `Mes chaussures de montagne ont une tige impeccable et une semelle lisse. Reprenez-les en magasin, ressemelez-les et revendez-les, ou rendez-les-moi.`, []comment{
		{1, "Oui, à condition que le prix reste sous la moitié du neuf."},
		{24, "Resoling twice, then recycling: that should be the standard path."},
	}},
	{37, 33, 22, "A kids’ carrier that converts to a day pack", `Our daughter walks half of the way now. When she does, we carry an empty frame. Let the seat fold flat and the back open into 20 litres.`, []comment{
		{45, "Avec une capote de pluie intégrée, on signe tout de suite."},
	}},
	{18, 30, 45, "Un pantalon de randonnée avec une vraie poche pour téléphone", `Les téléphones ont grandi, les poches non. Une poche zippée sur la cuisse, à plat, qui ne tape pas à chaque pas.`, []comment{
		{52, "And please put it where a hip belt does not press on it."},
	}},
	{40, 27, 31, "Des modèles pour les randonneurs malvoyants", `Fermetures avec repères tactiles, couleurs de sangles très contrastées, gauche et droite reconnaissables au toucher. Beaucoup d’autres en profiteraient, surtout la nuit.`, []comment{
		{54, "As somebody with low vision: yes, please. Contrast on buckles is the one thing I always add with tape."},
		{8, "Très bonne idée, et presque gratuite à produire."},
	}},
	{42, 24, 26, "Test days before a launch", `Let members try prototypes for a weekend on a real trail, with a feedback form that asks hard questions. You would learn more than from any survey.`, []comment{
		{13, "Je viens avec toute ma section du club alpin."},
	}},
	{46, 21, 49, "Gourde filtrante facile à nettoyer", `Les filtres se bouchent et on les jette. Un filtre que l’on rince à contre-courant d’un geste, et une gourde à large ouverture qui passe au lave-vaisselle.`, nil},
	{34, 18, 38, "One buckle standard across all your packs", `If every strap and buckle were the same size across your range, I could move the good hip belt from the old pack to the new one, and carry one spare for all.`, []comment{
		{20, "This goes so well with the repair kits."},
	}},
	{49, 15, 55, "Un duvet en laine française", `Le duvet craint l’humidité et le synthétique se tasse. La laine garde sa chaleur mouillée, et des éleveurs la jettent faute de débouché.`, []comment{
		{16, "J’ai dormi dans un prototype de ce genre : un peu lourd, mais quel confort."},
		{31, "Wool quilts exist in Scotland, worth a look."},
		{57, "Quel poids pour un confort à 5 °C ?"},
	}},
	{51, 12, 43, "Bike bags without straps rubbing the frame", `After one tour the paint on my top tube was gone. A small rail or screwed mount, sold separately, would hold the bag without straps.`, nil},
	{53, 9, 58, "Mode « prêt entre membres » dans l’application", `Mon kayak gonflable sort trois fois par an. Si d’autres membres du coin pouvaient le réserver, avec une caution gérée par vous, tout le monde y gagnerait.`, []comment{
		{19, "Il faudrait une assurance comprise, sinon personne n’osera."},
		{2, "Pour les familles ce serait formidable."},
	}},
	{55, 6, 46, "Insoles cut to the scan of my foot", `The scanner in the store already measures everything. Cut a flat insole from recycled foam on the spot, for 15 euros.`, []comment{
		{30, "My podiatrist charges ten times that. Count me in."},
	}},
	{58, 3, 40, "Recharger sa montre au soleil, vraiment", `Sur les montres solaires actuelles, l’écran consomme plus que ce que le soleil donne. Un mode randonnée qui n’affiche que l’altitude et l’heure tiendrait sans limite.`, []comment{
		{11, "Avec une alerte orage en plus, et je change de montre."},
	}},
	{59, 1.5, 24, "Packaging that becomes something", `My last boots came in a box inside a box. Make it one sturdy box with hinges that I keep for wax and brushes, or none at all: I would take them home in my bag.`, nil},
}
