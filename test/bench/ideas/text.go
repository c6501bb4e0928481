package main

import (
	"math/rand/v2"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/quaeso/community-operator/ideas"
)

// language is a vocabulary, the commonest word first. Real texts have few words that are in many ideas and many that are
// in few, and searches cost by that.
type language struct {
	words []string
	zipf  *rand.Zipf
}

var commonWords = map[string]string{
	"fr": `tente sac chaussure veste randonnée montagne vélo pluie nuit poche enfant couleur produit magasin prix modèle membre hiver
froid chaud léger solide tissu semelle lacet fermeture boucle sangle couteau lampe gourde réchaud duvet matelas bâton corde casque gant
bonnet lunette carte boussole batterie soleil vent neige rivière lac forêt chemin sommet refuge bivouac camp départ arrivée famille club
atelier réparation location échange retour garantie étiquette emballage carton recyclage coton laine plume cuir mousse plastique métal
aluminium titane carbone poids volume taille coupe femme homme pied main genou épaule hanche dos tête confort usage saison printemps
automne été weekend voyage train voiture bateau kayak pagaie voile plongée course marche escalade ski raquette luge traîneau chien`,
	"en": `tent pack shoe jacket hike mountain bike rain night pocket child colour product store price model member winter cold warm
light sturdy fabric sole lace zip buckle strap knife lamp bottle stove quilt mattress pole rope helmet glove hat goggles map compass
battery sun wind snow river lake forest trail summit hut bivouac camp start finish family club workshop repair rental exchange return
warranty label packaging cardboard recycling cotton wool down leather foam plastic metal aluminium titanium carbon weight volume size
cut women men foot hand knee shoulder hip back head comfort use season spring autumn summer weekend journey train car boat kayak paddle
sail diving running walking climbing skiing snowshoe sledge dog`,
}

// rareWords is the number of words that hardly anybody writes, such as names of models and places.
const rareWords = 30_000

func newLanguage(random *rand.Rand, name string) *language {
	words := strings.Fields(commonWords[name])
	syllables := []string{"ka", "ro", "mi", "ten", "val", "dor", "esk", "lin", "pur", "zo", "bra", "nel", "ith", "our", "gam", "fos", "tri", "plu"}
	for range rareWords {
		var word strings.Builder
		for range 3 + random.IntN(3) {
			word.WriteString(syllables[random.IntN(len(syllables))])
		}
		words = append(words, word.String())
	}
	return &language{words: words, zipf: rand.NewZipf(random, 1.1, 12, uint64(len(words)-1))}
}

func (l *language) word() string { return l.words[l.zipf.Uint64()] }

// sentence of some words, without a full stop.
func (l *language) sentence(words int) string {
	picked := make([]string, words)
	for i := range picked {
		picked[i] = l.word()
	}
	first, size := utf8.DecodeRuneInString(picked[0])
	picked[0] = string(unicode.ToUpper(first)) + picked[0][size:]
	return strings.Join(picked, " ")
}

// title that fits.
func (l *language) title(random *rand.Rand) string {
	for {
		if title := l.sentence(3 + random.IntN(6)); utf8.RuneCountInString(title) <= ideas.MaxTitle {
			return title
		}
	}
}

// body of some paragraphs, as long as what people write: most of it short, some long.
func (l *language) body(random *rand.Rand) string {
	var b strings.Builder
	for range 1 + int(random.ExpFloat64()*2) {
		for range 1 + random.IntN(4) {
			b.WriteString(l.sentence(6 + random.IntN(12)))
			b.WriteString(". ")
		}
		b.WriteString("\n\n")
		if b.Len() > 6000 {
			break
		}
	}
	return strings.TrimSpace(b.String())
}
