package v1alpha1

// Selection says who is selected among applicants.
//
// +kubebuilder:validation:Enum=team;vote;draw
type Selection string

// Recruiting is a call for applications.
type Recruiting struct {
	// questions that applicants answer.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=40
	// +kubebuilder:validation:XValidation:rule="self.all(q, q.type != 'file')",message="questions must not be of type file: an application has no attachments, ask for a url"
	Questions []FormField `json:"questions,omitempty"`
	// places to be filled.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100000
	Places int32 `json:"places"`
	// quotas of the selection, in percent of the places, by the community's attributes or by screening questions.
	// +optional
	// +listType=map
	// +listMapKey=attribute
	// +listMapKey=value
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:XValidation:rule="self.all(q, self.filter(o, o.attribute == q.attribute).map(o, o.percent).sum() <= 100)",message="quotas of one attribute must sum to 100 percent at most"
	Quotas []Quota `json:"quotas,omitempty"`
	// selection is made by the team (when absent), by vote (of the community, and of the jury where there is one), or by
	// draw (which can be verified).
	// +optional
	Selection Selection `json:"selection,omitempty"`
	// role that the selected receive in the challenge, such as tester.
	// +optional
	Role ItemName `json:"role,omitempty"`
}

// Survey asks questions; one response each.
type Survey struct {
	// questions in order, 1 to 40.
	// +required
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=40
	// +kubebuilder:validation:XValidation:rule="self.all(q, !has(q.showIf) || !q.showIf.contains('=') || self.exists(o, o.name != q.name && q.showIf.startsWith(o.name + '=')))",message="showIf must begin with the name of an earlier question of the list, such as flew=yes"
	Questions []Question `json:"questions"`
	// limit closes the survey after so many responses; no limit when absent. Quotas are shares of it.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=10000000
	Limit int32 `json:"limit,omitempty"`
	// anonymous keeps no link between a member and the response.
	// +optional
	Anonymous bool `json:"anonymous,omitempty"`
}

// QuestionType is the type of a question.
//
// +kubebuilder:validation:Enum=text;single;multiple;scale;rating;ranking;number;matrix;nps
type QuestionType string

// Question of a survey.
//
// +kubebuilder:validation:XValidation:rule="(self.type in ['single', 'multiple', 'ranking', 'matrix']) == has(self.options)",message="options are required for types single, multiple, ranking and matrix, and only for them",fieldPath=".options"
// +kubebuilder:validation:XValidation:rule="self.type != 'ranking' || !has(self.options) || size(self.options) <= 20",message="options of a ranking must be 20 at most: nobody ranks more",fieldPath=".options"
// +kubebuilder:validation:XValidation:rule="(self.type == 'matrix') == has(self.rows)",message="rows are required for type matrix, and only for it",fieldPath=".rows"
// +kubebuilder:validation:XValidation:rule="self.type in ['scale', 'rating', 'number'] || !has(self.minimum)",message="minimum is only for types scale, rating and number; remove it",fieldPath=".minimum"
// +kubebuilder:validation:XValidation:rule="self.type in ['scale', 'rating', 'number'] || !has(self.maximum)",message="maximum is only for types scale, rating and number; remove it",fieldPath=".maximum"
// +kubebuilder:validation:XValidation:rule="!(self.type in ['scale', 'number']) || has(self.maximum) || !has(self.minimum)",message="maximum is required with minimum",fieldPath=".maximum"
// +kubebuilder:validation:XValidation:rule="!has(self.maximum) || !has(self.minimum) || self.minimum < self.maximum",message="maximum must be more than minimum",fieldPath=".maximum"
// +kubebuilder:validation:XValidation:rule="!(self.type in ['scale', 'rating']) || !has(self.maximum) || self.maximum - (has(self.minimum) ? self.minimum : 0) <= 20",message="maximum must be at most 20 more than minimum: a scale has 21 points at most",fieldPath=".maximum"
// +kubebuilder:validation:XValidation:rule="self.type == 'scale' || (!has(self.lowLabel) && !has(self.highLabel))",message="lowLabel and highLabel are only for type scale; remove them",fieldPath=".lowLabel"
type Question struct {
	// name is the key that answers are kept and exported by.
	// +required
	Name ItemName `json:"name"`
	// label by locale: the question.
	// +required
	Label LabelByLocale `json:"label"`
	// type is text, single (one option), multiple, scale, rating (stars), ranking, number, matrix (an option for each
	// row), or nps (0 to 10: would you recommend us).
	// +required
	Type QuestionType `json:"type"`
	// required refuses a response without it.
	// +optional
	Required bool `json:"required,omitempty"`
	// options to choose from or to rank; the columns of a matrix.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=2
	// +kubebuilder:validation:MaxItems=40
	Options []Option `json:"options,omitempty"`
	// rows of a matrix.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=20
	Rows []Option `json:"rows,omitempty"`
	// minimum of a scale or a number. A scale is from 1 to 5 when both are absent; a rating begins at 1.
	// +optional
	// +kubebuilder:validation:Minimum=-1000000000
	// +kubebuilder:validation:Maximum=1000000000
	Minimum *int32 `json:"minimum,omitempty"`
	// maximum of a scale, a rating (5 when absent) or a number.
	// +optional
	// +kubebuilder:validation:Minimum=-1000000000
	// +kubebuilder:validation:Maximum=1000000000
	Maximum *int32 `json:"maximum,omitempty"`
	// lowLabel by locale says what the low end of a scale means.
	// +optional
	LowLabel TextByLocale `json:"lowLabel,omitempty"`
	// highLabel by locale says what the high end of a scale means.
	// +optional
	HighLabel TextByLocale `json:"highLabel,omitempty"`
	// showIf asks only those whose answer to an earlier question has a value: flew=yes.
	// +optional
	// +kubebuilder:validation:MinLength=3
	// +kubebuilder:validation:MaxLength=127
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z][-A-Za-z0-9_]{0,62}=[^=]+$')",message="showIf must be an earlier question and one of its answers, such as flew=yes"
	ShowIf string `json:"showIf,omitempty"`
}

// ConceptTest shows stimuli and asks the same questions of each.
//
// +kubebuilder:validation:XValidation:rule="!has(self.perMember) || self.perMember <= size(self.stimuli)",message="perMember must not be more than there are stimuli",fieldPath=".perMember"
type ConceptTest struct {
	// stimuli that are compared.
	// +required
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=40
	Stimuli []Stimulus `json:"stimuli"`
	// questions asked of each stimulus.
	// +required
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=40
	// +kubebuilder:validation:XValidation:rule="self.all(q, !has(q.showIf) || !q.showIf.contains('=') || self.exists(o, o.name != q.name && q.showIf.startsWith(o.name + '=')))",message="showIf must begin with the name of an earlier question of the list, such as flew=yes"
	Questions []Question `json:"questions"`
	// perMember is how many stimuli each member sees, in random order; all when absent.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=40
	PerMember int32 `json:"perMember,omitempty"`
}

// Stimulus is one concept.
//
// +kubebuilder:validation:XValidation:rule="has(self.text) || has(self.image) || has(self.video) || has(self.link)",message="a stimulus must show something: a text, an image, a video or a link"
// +kubebuilder:validation:XValidation:rule="has(self.image) == has(self.imageAlt)",message="imageAlt is required with an image, and only with one: say what it shows to those who do not see it",fieldPath=".imageAlt"
type Stimulus struct {
	// name is the key that answers are kept by.
	// +required
	Name ItemName `json:"name"`
	// title by locale.
	// +required
	Title TextByLocale `json:"title"`
	// text by locale, in Markdown.
	// +optional
	Text PassageByLocale `json:"text,omitempty"`
	// image is an https address.
	// +optional
	Image HTTPSURL `json:"image,omitempty"`
	// imageAlt by locale says what the image shows.
	// +optional
	ImageAlt LabelByLocale `json:"imageAlt,omitempty"`
	// video is an https address.
	// +optional
	Video HTTPSURL `json:"video,omitempty"`
	// link is an https address, such as that of a 3-D model or a virtual room.
	// +optional
	Link HTTPSURL `json:"link,omitempty"`
}

// BetaTest lets selected members test a product.
//
// +kubebuilder:validation:XValidation:rule="!has(self.dropOutDays) || !has(self.diaryDays) || self.dropOutDays > self.diaryDays",message="dropOutDays must be more than diaryDays: nobody drops out before an entry is due",fieldPath=".dropOutDays"
type BetaTest struct {
	// kit by locale says what testers receive.
	// +optional
	Kit PassageByLocale `json:"kit,omitempty"`
	// diaryDays is how often a diary entry is due, in days; as testers like when absent.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=365
	DiaryDays int32 `json:"diaryDays,omitempty"`
	// dropOutDays without any entry after which a tester counts as dropped out, and the next one waiting is asked; never
	// when absent.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=365
	DropOutDays int32 `json:"dropOutDays,omitempty"`
	// finalSurvey is asked at the end.
	// +optional
	FinalSurvey *Survey `json:"finalSurvey,omitempty"`
}

// Forum has topics by theme.
type Forum struct {
	// themes of its topics, names of the community's (house.themes); all when absent.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=50
	Themes []ItemName `json:"themes,omitempty"`
}

// Workshop is one session or several, with places.
type Workshop struct {
	// sessions that members register for.
	// +required
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=50
	Sessions []Session `json:"sessions"`
}

// Session of a workshop.
//
// +kubebuilder:validation:XValidation:rule="self.start < self.end",message="end must be after start",fieldPath=".end"
// +kubebuilder:validation:XValidation:rule="has(self.place) || has(self.link)",message="place is required where there is no link: a session has a place, a link or both",fieldPath=".place"
type Session struct {
	// name is the key that registrations are kept by.
	// +required
	Name ItemName `json:"name"`
	// title by locale.
	// +required
	Title TextByLocale `json:"title"`
	// start as a time in the community's time zone, such as "2027-06-01T18:00".
	// +required
	Start LocalTime `json:"start"`
	// end as a time in the community's time zone.
	// +required
	End LocalTime `json:"end"`
	// place by locale.
	// +optional
	Place TextByLocale `json:"place,omitempty"`
	// link is an https address, shown to those who are registered.
	// +optional
	Link HTTPSURL `json:"link,omitempty"`
	// capacity is the number of places; who comes later waits.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100000
	Capacity int32 `json:"capacity"`
	// facilitator is the e-mail address of who leads it.
	// +optional
	Facilitator Email `json:"facilitator,omitempty"`
	// rounds in order, which fit into the session together.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=20
	Rounds []Round `json:"rounds,omitempty"`
}

// Round of a session.
type Round struct {
	// title by locale.
	// +required
	Title TextByLocale `json:"title"`
	// minutes that it takes.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1440
	Minutes int32 `json:"minutes"`
}

// Mission gives members a role and tasks.
type Mission struct {
	// role that those on the mission have, such as ambassador.
	// +required
	Role ItemName `json:"role"`
	// tasks of the mission.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=50
	Tasks []Task `json:"tasks,omitempty"`
	// postsUnmoderated publishes their posts without moderation.
	// +optional
	PostsUnmoderated bool `json:"postsUnmoderated,omitempty"`
}

// Task of a mission.
type Task struct {
	// name is the key that what was done is kept by.
	// +required
	Name ItemName `json:"name"`
	// title by locale.
	// +required
	Title TextByLocale `json:"title"`
	// brief by locale, in Markdown.
	// +optional
	Brief PassageByLocale `json:"brief,omitempty"`
	// due is a time in the community's time zone, such as "2027-06-01T18:00"; the end of the mission when absent.
	// +optional
	Due LocalTime `json:"due,omitempty"`
}
