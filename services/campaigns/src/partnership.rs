//! Partnerships, by name.

/// `partnerships/{brand}~{creator}` of `brands/{brand}` and `creators/{creator}`: what events of both belong to.
pub(crate) fn partnership(brand: &str, creator: &str) -> String {
    let id = |name: &str| name.split_once('/').map_or("", |(_, id)| id).to_owned();
    format!("partnerships/{}~{}", id(brand), id(creator))
}
