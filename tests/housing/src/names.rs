//! Names people have: plain and accented, of other scripts, with marks to be combined, with characters that JSON must
//! escape, and now and then as long as a register allows.

use std::borrow::Cow;

use crate::{Kind, random::Random};

const TITLES: [&str; 8] = ["Mr", "Mrs", "Ms", "Miss", "Mx", "Dr", "Rev", "Prof"];

const FIRST: [&str; 40] = [
    "Ada",
    "Adebayo",
    "Aisha",
    "Alan",
    "Amara",
    "Ayşe",
    "Björn",
    "Bronagh",
    "Chidi",
    "Chloë",
    "Daniel",
    "Dariusz",
    "Eleanor",
    "Emeka",
    "Fatima",
    "George",
    "Grace",
    "Hannah",
    "Ibrahim",
    "Ife",
    "Jakub",
    "José",
    "Kwame",
    "Leila",
    "Mehmet",
    "Ngozi",
    "Nguyễn",
    "Olu",
    "Priya",
    "Rosa",
    "Samuel",
    "Siân",
    "Tomasz",
    "Yusuf",
    "Zoe\u{308}",
    "Łucja",
    "محمد",
    "小龍",
    "अनन्या",
    "Sunny ☀️",
];

const LAST: [&str; 40] = [
    "Abara",
    "Ahmed",
    "Akhtar",
    "Baptiste",
    "Begum",
    "Bennett",
    "Campbell",
    "Clarke",
    "Cohen",
    "Demir",
    "Doyle",
    "Edwards",
    "Evans",
    "Ferreira",
    "Ford",
    "García",
    "Green",
    "Hussain",
    "Iqbal",
    "Johnson",
    "Kaya",
    "Khan",
    "Kowalski",
    "Lewis",
    "Mensah",
    "Müller",
    "O'Neil",
    "Okafor",
    "Patel",
    "Quaye",
    "Roberts",
    "Şahin",
    "Smith",
    "Taylor",
    "Walker",
    "Williams",
    "Å\u{323}strand",
    "العربي",
    "欧阳",
    "Jones \"Jonny\" \\ Sons",
];

const PLACES: [&str; 12] = [
    "London",
    "Hackney",
    "Lagos",
    "Kraków",
    "İstanbul",
    "Kingston, Jamaica",
    "Sylhet",
    "Accra",
    "Lisboa",
    "القاهرة",
    "上海",
    "Dublin",
];

pub struct Name {
    pub title: &'static str,
    pub first: Cow<'static, str>,
    pub middle: &'static str,
    pub last: &'static str,
}

impl Name {
    pub fn of(seed: u64, person: u64) -> Self {
        let mut random = Random::nth(seed, Kind::People, "name", person);
        let first = if random.once_in(200) { long(&mut random).into() } else { random.pick(&FIRST).into() };
        Self { title: random.pick(&TITLES), first, middle: random.pick(&FIRST), last: random.pick(&LAST) }
    }

    pub fn full(&self) -> String {
        [&self.first, " ", self.last].concat()
    }
}

pub fn place(random: &mut Random) -> &'static str {
    random.pick(&PLACES)
}

fn long(random: &mut Random) -> String {
    let names: Vec<_> = (0..30).map(|_| random.pick(&FIRST)).collect();
    names.join("-")
}
