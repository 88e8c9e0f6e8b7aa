//! Whether aggregates in memory are the newest: asked of the log for all at once that are asked about at the same time.
//!
//! Invariant: an answer was given by the log after its question came; a question never joins a request that is on its way
//! already.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use quick_cache::sync::Cache;
use tandem_eventlog::{EventLog, Position, ReadError, Subject};
use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::time::timeout;

/// Most questions of one request.
const TOGETHER: usize = 256;
/// No longer than this questions wait for the answer to those before them.
const GATHERING: Duration = Duration::from_millis(100);

/// Asks for aggregates of one kind. While one request is on its way the questions for the next gather, so that many at the
/// same time cost about as much as one.
pub(crate) struct Freshness {
    log: Arc<dyn EventLog>,
    /// What is known of aggregates in memory.
    known: Arc<Cache<Subject, Newest>>,
    questions: OnceLock<UnboundedSender<Question>>,
}

/// An aggregate is the newest up to some position.
#[derive(Clone, Copy)]
struct Newest {
    /// Of its last event. Of the aggregate as it was before, which a read that took longer may put into memory again,
    /// nothing is said.
    position: Position,
    /// So far there is no later one.
    up_to: Position,
}

struct Question {
    subject: Subject,
    /// Of the last event in memory.
    position: Position,
    /// What is known already reaches so far.
    after: Position,
    answer: oneshot::Sender<Result<bool, ReadError>>,
}

impl Freshness {
    pub(crate) fn new(log: Arc<dyn EventLog>, cache_capacity: usize) -> Self {
        Self { log, known: Arc::new(Cache::new(cache_capacity)), questions: OnceLock::new() }
    }

    /// Whether an aggregate may have events after `position`, that of its last event in memory.
    ///
    /// # Errors
    /// If the log can't be read.
    pub(crate) async fn moved_on(&self, subject: &Subject, position: Position) -> Result<bool, ReadError> {
        let known = self.known.get(subject).filter(|known| known.position == position);
        let after = known.map_or(position, |known| known.up_to.max(position));
        let (answer, answered) = oneshot::channel();
        let question = Question { subject: subject.clone(), position, after, answer };
        // Nobody answers while the process ends: then it is for the reading of the aggregate to say what is wrong.
        match self.questions().map(|questions| questions.send(question)) {
            Some(Ok(())) => answered.await.unwrap_or(Ok(true)),
            _ => Ok(true),
        }
    }

    /// Where questions go; the task that answers them is started by the first one.
    fn questions(&self) -> Option<&UnboundedSender<Question>> {
        let runtime = Handle::try_current().ok()?;
        Some(self.questions.get_or_init(|| {
            let (sender, questions) = unbounded_channel();
            runtime.spawn(answer(Arc::clone(&self.log), Arc::clone(&self.known), questions));
            sender
        }))
    }
}

/// Answers until nobody can ask any more.
async fn answer(log: Arc<dyn EventLog>, known: Arc<Cache<Subject, Newest>>, mut waiting: UnboundedReceiver<Question>) {
    loop {
        let mut questions = Vec::with_capacity(TOGETHER);
        if waiting.recv_many(&mut questions, TOGETHER).await == 0 {
            return;
        }
        let mut asking = Box::pin(ask(Arc::clone(&log), Arc::clone(&known), questions));
        if timeout(GATHERING, &mut asking).await.is_err() {
            // A server that has died answers nothing, and whoever asks now may be told so at once.
            tokio::spawn(asking);
        }
    }
}

async fn ask(log: Arc<dyn EventLog>, known: Arc<Cache<Subject, Newest>>, questions: Vec<Question>) {
    let after = questions.iter().map(|question| question.after).min().unwrap_or_default();
    let subjects: Vec<Subject> = questions.iter().map(|question| question.subject.clone()).collect();
    let answered = log.newer(&subjects, after).await;
    for (at, Question { subject, position, after, answer }) in questions.into_iter().enumerate() {
        let moved_on = answered.as_ref().map_err(|error| ReadError(error.0.clone())).map(|newer| {
            let moved_on = newer.last.get(at).is_none_or(|last| *last > after);
            if !moved_on && newer.up_to > after {
                known.insert(subject, Newest { position, up_to: newer.up_to });
            }
            moved_on
        });
        // Who asked may have gone.
        let _ = answer.send(moved_on);
    }
}

#[cfg(test)]
mod tests {
    use futures::future::join_all;
    use tandem_eventlog::testing::{CONTRACT, part};
    use tandem_eventlog::{Append, AppendError, DeliveryStream, EventStream, Filter, MemoryLog, Newer, RecordedEvent};
    use tokio::sync::{Mutex, Semaphore};

    use super::*;

    /// Answers `newer` when it is let, and notes how many were asked about.
    struct Slow {
        log: MemoryLog,
        let_through: Semaphore,
        asked: Mutex<Vec<usize>>,
    }

    #[async_trait::async_trait]
    impl EventLog for Slow {
        async fn append(&self, parts: Vec<Append>) -> Result<Vec<Position>, AppendError> {
            self.log.append(parts).await
        }

        async fn read(&self, subject: &Subject, after: Position) -> Result<Vec<RecordedEvent>, ReadError> {
            self.log.read(subject, after).await
        }

        async fn get(&self, position: Position) -> Result<Option<RecordedEvent>, ReadError> {
            self.log.get(position).await
        }

        async fn last_position(&self, filter: &Filter) -> Result<Position, ReadError> {
            self.log.last_position(filter).await
        }

        async fn follow(&self, filter: &Filter, after: Position) -> Result<EventStream, ReadError> {
            self.log.follow(filter, after).await
        }

        async fn consume(&self, name: &str, filter: &Filter) -> Result<DeliveryStream, ReadError> {
            self.log.consume(name, filter).await
        }

        async fn newer(&self, subjects: &[Subject], after: Position) -> Result<Newer, ReadError> {
            self.asked.lock().await.push(subjects.len());
            // What is answered is the log as it is when the request is sent, at the latest.
            let newer = self.log.newer(subjects, after).await;
            self.let_through.acquire().await.map_err(|error| ReadError(error.to_string()))?.forget();
            newer
        }
    }

    fn contract(number: usize) -> Subject {
        Subject::new("acme", CONTRACT, &format!("c{number}")).unwrap()
    }

    #[tokio::test]
    async fn questions_that_come_during_a_request_share_the_next_one_and_are_not_answered_by_it() {
        let log = Arc::new(Slow { log: MemoryLog::new(), let_through: Semaphore::new(0), asked: Mutex::default() });
        let mut positions = Vec::new();
        for number in 0..9 {
            positions.extend(log.append(vec![part(&contract(number), 0, &["1"])]).await.unwrap());
        }
        let freshness = Arc::new(Freshness::new(log.clone(), 100));
        let ask = |number: usize| {
            let (freshness, position) = (Arc::clone(&freshness), positions[number]);
            tokio::spawn(async move { freshness.moved_on(&contract(number), position).await })
        };
        let first = ask(0);
        while log.asked.lock().await.is_empty() {
            tokio::task::yield_now().await;
        }
        // Written after the first request was sent: only an answer to a later one tells of it.
        log.append(vec![part(&contract(1), positions[1], &["2"])]).await.unwrap();
        let others: Vec<_> = (1..9).map(ask).collect();
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
        log.let_through.add_permits(2);
        assert!(!first.await.unwrap().unwrap());
        let moved_on: Vec<bool> = join_all(others).await.into_iter().map(|asked| asked.unwrap().unwrap()).collect();
        assert_eq!(moved_on, [true, false, false, false, false, false, false, false]);
        assert_eq!(*log.asked.lock().await, [1, 8]);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_long_for_the_answer_to_others() {
        let log = Arc::new(Slow { log: MemoryLog::new(), let_through: Semaphore::new(0), asked: Mutex::default() });
        let freshness = Arc::new(Freshness::new(log.clone(), 100));
        let asked = [0, 1].map(|number| {
            let freshness = Arc::clone(&freshness);
            tokio::spawn(async move { freshness.moved_on(&contract(number), 1).await })
        });
        tokio::time::sleep(GATHERING).await;
        assert_eq!(*log.asked.lock().await, [2], "both come at the same moment");
        let late = tokio::spawn(async move { freshness.moved_on(&contract(2), 1).await });
        tokio::time::sleep(GATHERING).await;
        assert_eq!(*log.asked.lock().await, [2, 1], "the first request is not answered yet");
        log.let_through.add_permits(2);
        for asked in asked.into_iter().chain([late]) {
            assert!(!asked.await.unwrap().unwrap());
        }
    }

    #[tokio::test]
    async fn what_has_moved_on_is_told_however_often_it_is_asked() {
        let log = Arc::new(MemoryLog::new());
        let first = log.append(vec![part(&contract(1), 0, &["1"])]).await.unwrap()[0];
        let freshness = Freshness::new(log.clone(), 100);
        assert!(!freshness.moved_on(&contract(1), first).await.unwrap());
        let second = log.append(vec![part(&contract(1), first, &["2"])]).await.unwrap()[0];
        for _ in 0..2 {
            assert!(freshness.moved_on(&contract(1), first).await.unwrap());
        }
        assert!(!freshness.moved_on(&contract(1), second).await.unwrap());
    }

    #[tokio::test]
    async fn what_is_known_of_the_newest_says_nothing_of_an_older_one() {
        let log = Arc::new(MemoryLog::new());
        let first = log.append(vec![part(&contract(1), 0, &["1"])]).await.unwrap()[0];
        let second = log.append(vec![part(&contract(1), first, &["2"])]).await.unwrap()[0];
        log.append(vec![part(&contract(2), 0, &["1"])]).await.unwrap();
        let freshness = Freshness::new(log, 100);
        assert!(!freshness.moved_on(&contract(1), second).await.unwrap());
        // A read that began before the second event has come back after all, and put what it found into memory.
        assert!(freshness.moved_on(&contract(1), first).await.unwrap());
    }
}
