package v1alpha1

// Conditions. Ready sums up the parts; Reconciling and Stalled are present only while they are true, as
// kstatus asks for.
const (
	// ConditionReady is true when the idea service answered, acknowledged the current settings, and its route
	// was accepted. False says what is missing.
	ConditionReady = "Ready"
	// ConditionReconciling is present and true while the operator works towards the spec or waits for
	// something that comes by itself.
	ConditionReconciling = "Reconciling"
	// ConditionStalled is present and true when a person must act. Its message says what to do.
	ConditionStalled = "Stalled"
	// ConditionAccepted is true when class, size and hostnames of the spec can be used.
	ConditionAccepted = "Accepted"
	// ConditionCredentialsReady is true when every Secret that the community needs is there and complete.
	ConditionCredentialsReady = "CredentialsReady"
	// ConditionDatabaseReady is true when the database accepts the community's connections.
	ConditionDatabaseReady = "DatabaseReady"
	// ConditionWorkloadReady is true when the wanted replicas of the idea service serve.
	ConditionWorkloadReady = "WorkloadReady"
	// ConditionSettingsInForce is true when the idea service acknowledged the current settings.
	ConditionSettingsInForce = "SettingsInForce"
	// ConditionRouteReady is true when the Gateway or the ingress controller took the route.
	ConditionRouteReady = "RouteReady"
)

// Reasons. Each says when it appears and what to do.
const (
	// ReasonReady appears on a condition that is true.
	ReasonReady = "Ready"
	// ReasonPaused appears on Ready while spec.paused is true. Set it to false to go on.
	ReasonPaused = "Paused"
	// ReasonProgressing appears while something is on its way; wait.
	ReasonProgressing = "Progressing"
	// ReasonDeleting appears while the Community is being deleted; the message says what is waited for.
	ReasonDeleting = "Deleting"
	// ReasonRetrying appears after an error that may pass; the operator tries again with back-off.
	ReasonRetrying = "Retrying"

	// ReasonClassNotFound: spec.className names no CommunityClass. Create the class or correct the name.
	ReasonClassNotFound = "ClassNotFound"
	// ReasonNoDefaultClass: no className was given and no class is marked as the default. Name one or mark one.
	ReasonNoDefaultClass = "NoDefaultClass"
	// ReasonSeveralDefaultClasses: more than one class is marked as the default. Leave one.
	ReasonSeveralDefaultClasses = "SeveralDefaultClasses"
	// ReasonUnknownSize: spec.size is not a size of the class. The message lists them.
	ReasonUnknownSize = "UnknownSize"
	// ReasonUnknownTimeZone: spec.brand.timeZone is not in the time zone database.
	ReasonUnknownTimeZone = "UnknownTimeZone"
	// ReasonHostnameTaken: another Community holds a hostname. Choose another or remove it there.
	ReasonHostnameTaken = "HostnameTaken"
	// ReasonDatabaseKindChanged: the class now has another kind of database than this community was made
	// with. Data is not moved; name a class of the old kind.
	ReasonDatabaseKindChanged = "DatabaseKindChanged"

	// ReasonSecretNotFound: a Secret that the spec or the class names does not exist.
	ReasonSecretNotFound = "SecretNotFound"
	// ReasonSecretIncomplete: a Secret lacks a key, or a key is not usable. The message names it.
	ReasonSecretIncomplete = "SecretIncomplete"
	// ReasonForeignObject: an object that the operator did not make stands at a name that it needs. Rename or
	// delete it, or rename the Community.
	ReasonForeignObject = "ForeignObject"
	// ReasonRefusedByAPI: the API server refused an object; the message is its answer.
	ReasonRefusedByAPI = "RefusedByAPI"

	// ReasonDatabaseUnreachable: nothing answers at the database's address.
	ReasonDatabaseUnreachable = "Unreachable"
	// ReasonPasswordRefused: the database refused the user or the password.
	ReasonPasswordRefused = "PasswordRefused"
	// ReasonDatabaseMissing: the server has no database of that name.
	ReasonDatabaseMissing = "DatabaseMissing"
	// ReasonTLSRefused: the connection could not be secured as sslmode asks for.
	ReasonTLSRefused = "TLSRefused"
	// ReasonPermissionDenied: the role lacks a right that the message names.
	ReasonPermissionDenied = "PermissionDenied"
	// ReasonMigrationFailed: the idea service could not bring its schema up to date.
	ReasonMigrationFailed = "MigrationFailed"
	// ReasonDependencyMissing: an API that the class asks for (CloudNativePG, Gateway API, cert-manager) is not
	// installed in the cluster.
	ReasonDependencyMissing = "DependencyMissing"

	// ReasonImagePullFailed: the kubelet cannot pull the image.
	ReasonImagePullFailed = "ImagePullFailed"
	// ReasonCrashing: a container ends again and again; the message has its last log line.
	ReasonCrashing = "Crashing"
	// ReasonQuotaExceeded: a ResourceQuota refuses the pods.
	ReasonQuotaExceeded = "QuotaExceeded"
	// ReasonPodsRefused: the API server refuses the pods for another reason, such as Pod Security.
	ReasonPodsRefused = "PodsRefused"
	// ReasonUnschedulable: no node has room for the pods.
	ReasonUnschedulable = "Unschedulable"

	// ReasonSettingsRefused: the idea service refused the settings; the last good ones stay in force. The
	// message names the fields.
	ReasonSettingsRefused = "SettingsRefused"
	// ReasonServiceUnreachable: the idea service's control port does not answer.
	ReasonServiceUnreachable = "ServiceUnreachable"

	// ReasonGatewayNotFound: the class's Gateway does not exist.
	ReasonGatewayNotFound = "GatewayNotFound"
	// ReasonRouteRefused: the Gateway refused the route; the message is its answer.
	ReasonRouteRefused = "RouteRefused"
	// ReasonCertificatePending: the certificate has not been issued yet.
	ReasonCertificatePending = "CertificatePending"

	// ReasonInUse: a CommunityClass is being deleted while communities use it. It goes when they are gone or
	// use another class.
	ReasonInUse = "InUse"
)
