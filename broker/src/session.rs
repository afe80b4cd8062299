//! One connection, from the first message to the last word. The account is decided here, by the kernel's word
//! alone.

use std::{path::PathBuf, time::Duration};

use twinlock_core::{
    account::{Subject, UserName},
    audit::{Reason, escaped},
    catalogue::{Catalogue, Language},
    decide::Audience,
    notice::Change,
    record::Origin,
};
use twinlock_login::{
    attempt::{Attempt, Login, Outcome, Prompts},
    wire::{Connection, EnrolledInLogin, Frame, Kind, LoginRequest, NoConversation, Peer, verdict},
};
use twinlock_service::{
    lifecycle::{AuditLog, Caller, Done, Lifecycle, Request, RequestError, RequestErrorKind},
    messages::not_yours,
    notify::{AttemptSource, Mailing, SystemAuditLog},
    wire::{Requested, content, decode_request},
};
use twinlock_store::{
    config::Config,
    files::{Store, load_catalogue, load_config},
    host::{self, Kernel, SystemClock, SystemGroups},
};

use crate::{
    PROGRAM,
    audit::BrokerAuditLog,
    dialogue::SocketDialogue,
    limits::{ConnectionLimiter, Holder},
    login_uid, messages,
    password::Owner,
    refusals::Refusals,
};

/// How long the first message may take: it is sent by a program, not typed.
const FIRST: Duration = Duration::from_secs(10);
/// How long the other side may take to read.
const WRITE: Duration = Duration::from_secs(10);

/// What all connections share.
pub(crate) struct Shared {
    /// The file of the configuration, which is read anew for each request.
    pub(crate) config: PathBuf,
    pub(crate) limiter: ConnectionLimiter,
    pub(crate) refusals: Refusals,
}

/// One connection.
pub(crate) struct Session<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) peer: Peer,
    /// The holder whose share of the log its refusals use.
    pub(crate) holder: Holder,
    pub(crate) connection: &'a Connection,
}

/// The texts of a language; in English where its catalogue cannot be read, which `twinlock check` reports.
fn catalogue(language: &Language) -> Catalogue {
    load_catalogue(language).unwrap_or_default()
}

impl Session<'_> {
    /// Serves it. A client that breaks off, or sends what is no message, gets no answer.
    pub(crate) fn run(&self) {
        let Ok(first) = self.connection.read(FIRST) else { return };
        let (kind, content) = match first.kind {
            Kind::Request => {
                match self.request(&first).and_then(|done| content(&done).map_err(|_| messages::answer_too_long())) {
                    Ok(done) => (Kind::Done, done),
                    Err(refusal) => match content(&refusal) {
                        Ok(refusal) => (Kind::Refused, refusal),
                        Err(_) => return,
                    },
                }
            }
            Kind::Login => {
                let Ok(request) = LoginRequest::parse(&first.content) else { return };
                (Kind::Verdict, verdict(&self.login(&request)).into_bytes().into())
            }
            // The module waits for no answer.
            Kind::EnrolledInLogin => return self.mail_enrolment(&first.content),
            Kind::Answer
            | Kind::NoAnswer
            | Kind::Ask
            | Kind::AskHidden
            | Kind::Tell
            | Kind::Introduce
            | Kind::Done
            | Kind::Refused
            | Kind::Verdict => return,
        };
        // What was done is done, whether or not anybody hears of it.
        let _ = self.connection.write(kind, &content, WRITE);
    }

    fn request(&self, frame: &Frame) -> Result<Done, RequestError> {
        let Requested { user, language, request } = decode_request(&frame.content)?;
        self.perform(user.as_deref(), language.as_ref(), &request).map_err(|refusal| {
            let refusal = self.log_and_hide(refusal);
            // Without a language of the caller, in that of the host.
            let config = if language.is_some() { None } else { self.config().ok() };
            let language = language.or_else(|| config.map(|config| config.language)).unwrap_or_default();
            refusal.in_language(&catalogue(&language))
        })
    }

    fn perform(
        &self,
        user: Option<&str>,
        language: Option<&Language>,
        request: &Request,
    ) -> Result<Done, RequestError> {
        let (helper, subject) = self.subject(user)?;
        let config = self.config()?;
        let store = Store::at(&config.store, &self.shared.config);
        let owner = Owner { limiter: &self.shared.limiter, peer: self.peer };
        let mut lifecycle = Lifecycle {
            caller: match &helper {
                None if self.peer.uid == 0 => Caller::Root,
                None => Caller::Owner(&owner),
                Some(helper) => Caller::Helper(helper),
            },
            config: &config,
            store: &store,
            clock: &SystemClock,
            randomness: &mut Kernel,
            groups: &SystemGroups,
            audit_log: &self.audit_log(SystemAuditLog { mail: mailing(&config), ..self.system_audit_log() }),
        };
        let catalogue = catalogue(language.unwrap_or(&config.language));
        lifecycle.perform(&subject, request, &mut SocketDialogue::over(self.connection, &catalogue))
    }

    /// The account: the caller's, or the one that is named, for root and for a member of the help desk, who comes first.
    /// Anybody else who names another account is refused before anything is looked up, so that nothing is learned about them.
    fn subject(&self, named: Option<&str>) -> Result<(Option<Subject>, Subject), RequestError> {
        let unknown = messages::no_such_account;
        let failed = |error| messages::no_passwd_database(&error);
        let account = |named: &str| {
            let name = UserName::parse(named.as_bytes()).map_err(|_| unknown())?;
            host::account(&name).map_err(failed)?.ok_or_else(unknown)
        };
        if let (0, Some(named)) = (self.peer.uid, named) {
            return Ok((None, account(named)?));
        }
        let own = host::account_of(self.peer.uid).map_err(failed)?.ok_or_else(unknown)?;
        let Some(named) = named.filter(|named| *named != own.name.as_str()) else {
            return Ok((None, own));
        };
        let may_help = self.config()?.help_desk.has_member(&own.name, &SystemGroups);
        let may_help = may_help.map_err(|error| RequestError::new(RequestErrorKind::Host, error.to_string()))?;
        if may_help { Ok((Some(own), account(named)?)) } else { Err(not_yours()) }
    }

    fn config(&self) -> Result<Config, RequestError> {
        load_config(&self.shared.config)
            .map_err(|fault| RequestError::new(RequestErrorKind::Host, fault.to_string()).hint(fault.hint()))
    }

    fn audit_log<'j>(&'j self, system: SystemAuditLog<'j>) -> BrokerAuditLog<'j> {
        BrokerAuditLog { system, holder: self.holder, refusals: &self.shared.refusals }
    }

    fn system_audit_log(&self) -> SystemAuditLog<'static> {
        SystemAuditLog {
            program: PROGRAM,
            by_uid: self.peer.uid,
            by_login_uid: login_uid::of_peer(self.connection).filter(|uid| *uid != self.peer.uid),
            service: "twinlock",
            rhost: None,
            source: AttemptSource::Known,
            mail: Mailing::Off,
            clock: &SystemClock,
        }
    }

    /// What is the matter with the host is for its log, and for root.
    fn log_and_hide(&self, refusal: RequestError) -> RequestError {
        if refusal.cause != RequestErrorKind::Host {
            return refusal;
        }
        let line = format!("error=host by-uid={} detail=\"{}\"", self.peer.uid, plain(&refusal));
        self.system_audit_log().notice(&line);
        if self.peer.uid == 0 {
            return refusal;
        }
        messages::host_out_of_order()
    }

    /// A login of a host that is not root's: an attempt as any other, for the caller's own account.
    fn login(&self, request: &LoginRequest) -> Attempt {
        let config = match self.config() {
            Ok(config) => config,
            Err(refusal) => {
                return self.turned_down(request, Reason::Config, refusal.to_string());
            }
        };
        let subject = match host::account_of(self.peer.uid) {
            Ok(Some(own)) if own.name.as_str() == request.user => own,
            Ok(_) => {
                let detail = messages::login_of_another(self.peer.uid);
                return self.turned_down(request, Reason::UnknownUser, detail);
            }
            Err(error) => {
                let detail = messages::account_not_looked_up(&error);
                return self.turned_down(request, Reason::Internal, detail);
            }
        };
        let store = Store::at(&config.store, &self.shared.config);
        let from = request.rhost.as_deref().and_then(Origin::from_text).map(Origin::claimed);
        let first = request.prompt.clone().unwrap_or_default();
        let catalogue = catalogue(&config.language);
        let prompts = Prompts::beginning_with(first, &catalogue);
        let login = Login {
            credentials: &store.credentials,
            states: &store.states,
            clock: &SystemClock,
            limits: config.limits(),
            prompts: &prompts,
            from: from.as_ref(),
            // The address is what the caller claims: it must not make a network the owner's home.
            network: None,
            client: None,
            audience: Audience::Nobody,
            forecast: None,
        };
        if request.prompt.is_none() {
            // The account phase of a host: not an attempt, so none for the log.
            return login.attempt(Some(&subject), request.policy, &mut NoConversation);
        }
        let attempt =
            login.attempt(Some(&subject), request.policy, &mut SocketDialogue::over(self.connection, &catalogue));
        if !matches!(attempt.outcome, Outcome::NotAsked(_)) {
            self.audit_log_of(request).attempt(&subject, &attempt);
        }
        attempt
    }

    /// Sends the mail about an enrolment inside a login. Only root may ask for it, and the module has logged the change already.
    fn mail_enrolment(&self, content: &[u8]) {
        if self.peer.uid != 0 {
            return;
        }
        let (Ok(enrolled), Ok(config)) = (EnrolledInLogin::parse(content), self.config()) else { return };
        let name = UserName::parse(enrolled.user.as_bytes()).ok();
        if let Some(subject) = name.and_then(|name| host::account(&name).ok().flatten()) {
            let audit_log = SystemAuditLog { mail: mailing(&config), ..self.system_audit_log() };
            // What is not plain is escaped, as in the log.
            let (service, rhost) = (escaped(&enrolled.service), enrolled.rhost.as_deref().map(escaped));
            audit_log.mail(&subject, Change::Enrolled, Some((&service, rhost.as_deref())));
        }
    }

    /// Refuses a login before anybody is asked, and writes it down like any other. Not the name: it is only claimed, and
    /// may be anything.
    fn turned_down(&self, request: &LoginRequest, reason: Reason, detail: String) -> Attempt {
        let attempt = Attempt::refused_for(reason).with_detail(detail);
        self.audit_log_of(request).attempt_of(None, &attempt);
        attempt
    }

    fn audit_log_of<'j>(&'j self, request: &'j LoginRequest) -> BrokerAuditLog<'j> {
        let (service, rhost) = (&request.service, request.rhost.as_deref());
        self.audit_log(SystemAuditLog { service, rhost, source: AttemptSource::Claimed, ..self.system_audit_log() })
    }
}

fn mailing(config: &Config) -> Mailing<'_> {
    if config.notify.mail { Mailing::Aside(&config.notify.sendmail, &config.language) } else { Mailing::Off }
}

/// A refusal on one line of the log.
fn plain(refusal: &RequestError) -> String {
    let hint = refusal.hint.as_deref().unwrap_or_default();
    format!("{}; {hint}", refusal.message)
        .chars()
        .map(|c| if c.is_ascii_graphic() && c != '"' { c } else { ' ' })
        .collect()
}
