//! Answers to single writes of a request that say less than they seem to.

use proxy::{Fault, Match, Pick, Proxy, Rule};
use reindex::{capability::index::Written, error::Kind};
use servers::{Server, shared};

use super::{documents, opened, stamp};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_whose_answer_contradicts_itself_does_not_count_as_written() {
    for engine in [Server::Opensearch, Server::Elasticsearch] {
        let proxy = Proxy::http(&shared(engine).url());
        let index = opened(engine, &proxy.url(), "believed", "").unwrap();
        index.create("believed_1", "{}", &stamp()).await.unwrap();
        let answers = |status, result: &str| {
            let fault = Fault::AnswerItems(Pick::At(vec![1]), status, result.to_owned());
            proxy.add(Rule::new(Match::any().contains("_bulk"), fault).times(1));
        };
        for (status, result) in
            [(404, "not_found"), (404, "created"), (100, "created"), (0, "created"), (200, "deleted")]
        {
            answers(status, result);
            let error = index.write("believed_1", documents(0, 3)).await.unwrap_err();
            assert_eq!((error.kind(), error.may_retry()), (Kind::Unavailable, true), "{error:?}");
            assert!(error.message().contains("d-1") && error.hint_text().is_some(), "{error:?}");
        }
        answers(200, "noop");
        let dropped = index.write("believed_1", documents(0, 3)).await.unwrap();
        let refused = |written: &Written| matches!(written, Written::Refused(reason) if reason.contains("noop"));
        assert!(dropped[0] == Written::Done && refused(&dropped[1]) && dropped[2] == Written::Done, "{dropped:?}");
        assert_eq!(index.count("believed_1").await.unwrap(), 2);
        assert_eq!(proxy.fired(), 6);
        assert_eq!(index.write("believed_1", documents(0, 3)).await.unwrap(), [const { Written::Done }; 3]);
    }
}
